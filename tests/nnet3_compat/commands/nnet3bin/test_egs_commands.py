"""The programs that copy, shuffle and choose training examples."""

import itertools
import os
import subprocess
import sys
from pathlib import Path
from random import Random

import numpy as np
import pytest

from kaldi_bridge.c_random import CRandom
from kaldi_bridge.command import run
from kaldi_bridge.examples.chain_examples import CHAIN_EXAMPLE, ChainExample
from kaldi_bridge.examples.streams import random_count, random_subset, shuffled
from kaldi_bridge.io.sparse import CompressedMatrix
from kaldi_bridge.tables import SequentialReader, TableWriter
from nnet3_compat.commands.chainbin import nnet3_chain_copy_egs as chain_copy_egs
from nnet3_compat.commands.chainbin import nnet3_chain_shuffle_egs as chain_shuffle_egs
from nnet3_compat.commands.chainbin import nnet3_chain_subset_egs as chain_subset_egs


def read(path: Path) -> list[tuple[str, ChainExample]]:
    with SequentialReader(f"ark:{path}", CHAIN_EXAMPLE) as examples:
        return list(examples)


def keys(path: Path) -> list[str]:
    return [key for key, _ in read(path)]


@pytest.fixture(scope="module")
def egs(reference: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A hundred of Kaldi's examples."""
    path = tmp_path_factory.mktemp("egs") / "some.cegs"
    source = SequentialReader(f"ark:{reference}/fsdd/tdnnf/egs/cegs.1.ark", CHAIN_EXAMPLE)
    with source as examples, TableWriter(f"ark:{path}", CHAIN_EXAMPLE) as writer:
        for key, example in itertools.islice(examples, 100):
            writer.write(key, example)
    return path


def copy(tmp_path: Path, egs: Path, *options: str, outputs: int = 1) -> list[Path]:
    paths = [tmp_path / f"{i}.cegs" for i in range(outputs)]
    assert run(chain_copy_egs.main, [*options, f"ark:{egs}", *(f"ark:{path}" for path in paths)]) == 0
    return paths


def test_copies_are_equal(egs: Path, tmp_path: Path) -> None:
    [same] = copy(tmp_path, egs)
    assert same.read_bytes() == egs.read_bytes()
    text = tmp_path / "text"
    assert run(chain_copy_egs.main, [f"ark:{egs}", f"ark,t:{text}"]) == 0
    [again] = copy(tmp_path, text)
    assert [key for key, _ in read(again)] == keys(egs)


def test_outputs_in_turn(egs: Path, tmp_path: Path) -> None:
    paths = copy(tmp_path, egs, outputs=3)
    everything = keys(egs)
    assert [keys(path) for path in paths] == [everything[i::3] for i in range(3)]


def test_proportions(egs: Path, tmp_path: Path) -> None:
    count = len(keys(egs))
    for proportion in (0.5, 2.25):
        [some] = copy(tmp_path, egs, f"--keep-proportion={proportion}", "--srand=1")
        assert len(keys(some)) == pytest.approx(proportion * count, rel=0.25)
        first = some.read_bytes()
        [again] = copy(tmp_path, egs, f"--keep-proportion={proportion}", "--srand=1")
        assert again.read_bytes() == first


@pytest.mark.parametrize(("shift", "output_shift"), [(1, 0), (2, 3), (-1, 0), (-4, -3)])
def test_frame_shift(egs: Path, tmp_path: Path, shift: int, output_shift: int) -> None:
    """Outputs move by the nearest multiple of three frames, i-vectors not at all."""
    [shifted] = copy(tmp_path, egs, f"--frame-shift={shift}")
    for (_, before), (_, after) in zip(read(egs), read(shifted), strict=True):
        moved = {
            part.name: part.indexes[:, 1] - other.indexes[:, 1]
            for part, other in zip(after.inputs, before.inputs, strict=True)
        }
        assert (moved["input"] == shift).all()
        assert (moved["ivector"] == 0).all()
        assert (after.outputs[0].indexes[:, 1] - before.outputs[0].indexes[:, 1] == output_shift).all()


def test_context_is_cut(egs: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    [less] = copy(tmp_path, egs, "--left-context=4", "--right-context=2")
    for (_, before), (_, after) in zip(read(egs), read(less), strict=True):
        output, times = after.outputs[0].indexes[:, 1], after.inputs[0].indexes[:, 1]
        assert times.min() == max(output.min() - 4, before.inputs[0].indexes[:, 1].min())
        assert times.max() == min(output.max() + 2, before.inputs[0].indexes[:, 1].max())
        source = before.inputs[0]
        assert isinstance(source.features, CompressedMatrix)
        kept = np.isin(source.indexes[:, 1], times)
        assert np.array_equal(after.inputs[0].features, source.features.decompress()[kept])
    capfd.readouterr()
    copy(tmp_path, egs, "--left-context=1000")
    assert capfd.readouterr().err.count("only has left-context of") == 1


def test_weights_and_names(egs: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    names = keys(egs)
    (tmp_path / "weights").write_text("".join(f"{key} 0.25\n" for key in names[1:]))
    (tmp_path / "names").write_text("".join(f"{key} output-3\n" for key in names))
    [changed] = copy(tmp_path, egs, f"--weights=ark:{tmp_path}/weights", f"--outputs=ark:{tmp_path}/names")
    examples = read(changed)
    assert [key for key, _ in examples] == names[1:]
    assert {output.name for _, example in examples for output in example.outputs} == {"output-3"}
    assert {output.supervision.weight for _, example in examples for output in example.outputs} == {0.25}
    assert f"No weight for example key {names[0]}" in capfd.readouterr().err


def test_merged_examples_keep_their_context(reference: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    merged = f"ark:{reference}/one_step/one.cegs"
    assert run(chain_copy_egs.main, ["--left-context=3", merged, f"ark:{tmp_path}/out"]) == 255
    assert "merged already" in capfd.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("options", [[], ["--buffer-size=50"], ["--buffer-size=100000"]])
def test_shuffling_keeps_all(egs: Path, tmp_path: Path, options: list[str]) -> None:
    found = []
    for seed in (1, 1, 2):
        arguments = [f"--srand={seed}", *options, f"ark:{egs}", f"ark:{tmp_path}/shuffled"]
        assert run(chain_shuffle_egs.main, arguments) == 0
        found.append(keys(tmp_path / "shuffled"))
    assert sorted(found[0]) == sorted(keys(egs))
    assert found[0] == found[1]
    assert found[0] != found[2]


def test_subset(egs: Path, tmp_path: Path) -> None:
    everything = keys(egs)
    for n, options in ((10, []), (10, ["--randomize-order=false"]), (100_000, ["--randomize-order=false"])):
        assert run(chain_subset_egs.main, [f"--n={n}", *options, f"ark:{egs}", f"ark:{tmp_path}/some"]) == 0
        found = keys(tmp_path / "some")
        assert len(set(found)) == min(n, len(everything))
        assert set(found) <= set(everything)
        if n > len(everything):
            assert found == everything


def test_every_example_is_as_likely_in_a_subset() -> None:
    random = Random(0)
    counts = np.zeros(20)
    for _ in range(4000):
        chosen, count = random_subset([(str(i), i) for i in range(20)], 5, random, False)
        assert count == 20
        counts[[value for _, value in chosen]] += 1
    assert np.abs(counts / 4000 - 0.25).max() < 0.04


def test_random_helpers() -> None:
    random = CRandom(0)
    assert {random_count(2.0, random) for _ in range(50)} == {2}
    assert np.mean([random_count(0.3, random) for _ in range(5000)]) == pytest.approx(0.3, abs=0.03)
    assert list(shuffled([], random)) == []


def test_mistakes(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for program in (chain_copy_egs, chain_shuffle_egs, chain_subset_egs):
        assert run(program.main, [f"ark:{tmp_path}/none", f"ark:{tmp_path}/out"]) == 255
        assert "none" in capfd.readouterr().err
        assert run(program.main, ["ark:/dev/null", "ark:/dev/null"]) == 1


PIPE = (
    "set -o pipefail; nnet-pytorch-chain-copy-egs --frame-shift=1 ark:{0} ark:- | nnet-pytorch-chain-shuffle-egs "
    "--buffer-size=20 ark:- ark:- | nnet-pytorch-chain-merge-egs --minibatch-size=4 ark:- ark:{1}"
)


def shell(command: str) -> subprocess.CompletedProcess[str]:
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return subprocess.run(
        ["bash", "-c", command], capture_output=True, text=True, env={**os.environ, "PATH": path}, timeout=120
    )


def test_a_pipe_of_three(egs: Path, tmp_path: Path) -> None:
    done = shell(PIPE.format(egs, tmp_path / "merged"))
    assert done.returncode == 0, done.stderr
    assert sum(int(key.split("-")[2]) for key in keys(tmp_path / "merged")) > 80


def test_who_stops_reading_ends_the_pipe(egs: Path) -> None:
    """Quietly, and not with success."""
    forever = f"while cat {egs}; do :; done 2>/dev/null"
    done = shell(PIPE.format(f"'{forever} |'", "-") + " | head -c 100000 > /dev/null; echo ${PIPESTATUS[@]}")
    assert done.stdout.split()[:3] != ["0", "0", "0"]
    assert "ERROR" not in done.stderr and "Traceback" not in done.stderr


@pytest.mark.parametrize("program", ["copy", "shuffle", "subset", "merge"])
def test_an_archive_that_ends_early(egs: Path, tmp_path: Path, program: str) -> None:
    """The error names the archive and the key; nothing is left where the output should be."""
    (tmp_path / "short").write_bytes(egs.read_bytes()[:-100])
    for source in (f"ark:{tmp_path}/short", f"ark:cat {tmp_path}/short |"):
        done = shell(f"nnet-pytorch-chain-{program}-egs '{source}' ark:{tmp_path}/out")
        assert done.returncode == 255
        assert f"{tmp_path}/short" in done.stderr and f"key {keys(egs)[-1]}" in done.stderr
        assert "truncated" in done.stderr or "ends" in done.stderr
        assert [path.name for path in tmp_path.iterdir()] == ["short"]


@pytest.mark.slow
def test_memory_is_bounded(egs: Path, tmp_path: Path) -> None:
    """A hundred megabytes go through each program in less."""
    one = egs.read_bytes()
    with open(tmp_path / "many", "wb") as many:
        for _ in range(100_000_000 // len(one)):
            many.write(one)
    for command in ("copy-egs", "copy-egs --frame-shift=1", "shuffle-egs --buffer-size=100", "subset-egs", "merge-egs"):
        measured = "import resource, subprocess, sys; status = subprocess.call(sys.argv[1:]); "
        measured += "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss); sys.exit(status)"
        done = shell(f"python -c '{measured}' nnet-pytorch-chain-{command} ark:{tmp_path}/many ark:/dev/null")
        assert done.returncode == 0
        assert int(done.stdout) < 75_000, command  # kilobytes; Python and numpy alone are 35 000

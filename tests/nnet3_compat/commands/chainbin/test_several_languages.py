"""nnet3-chain-train2 and -combine2: networks with an output for each language (Kaldi's chain2).

languages/ has a network with the outputs output-default and output-english and their -xent (nnet3-init, no rectified
linear units: nothing is drawn at random), graphs, and minibatches, one of whose keys tells no language.
Kaldi's programs made trained.raw and combined.raw with the options below.
"""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kaldi_bridge.command import run
from kaldi_bridge.examples.chain_examples import CHAIN_EXAMPLE
from kaldi_bridge.tables import SequentialReader, TableWriter
from nnet3_compat.model.model_file import read_nnet
from tests.helpers.twins import twin

FOLDER = Path(__file__).parent / "languages"
OPTIONS = ["--use-gpu=no", "--leaky-hmm-coefficient=0.1", "--xent-regularize=0.1"]
START, TRAINED, EXAMPLES = str(FOLDER / "start.raw"), str(FOLDER / "trained.raw"), f"ark:{FOLDER / 'two.cegs'}"
KALDIS_OBJECTIVES = {
    "output-default": (-0.511887, 9.0),
    "output-default-xent": (-2.77076, 9.0),
    "output-english": (-0.707848, 12.0),
    "output-english-xent": (-2.42385, 12.0),
}


def distance(made: str, wanted: Path) -> float:
    """The largest difference of a parameter array, relative to how far it moved from the start."""
    start, ours, theirs = (read_nnet(name) for name in (START, made, str(wanted)))
    found = []
    for name, component in theirs.components.items():
        mine, old = ours.components[name], start.components[name]
        for parameter in getattr(component, "PARAMS", ()):
            before, after, expected = (getattr(of, parameter) for of in (old, mine, component))
            found.append(float(np.linalg.norm(after - expected) / np.linalg.norm(expected - before)))
        statistics: Any = component
        if component.TYPE == "BatchNormComponent":
            assert mine.count == pytest.approx(statistics.count)  # type: ignore[attr-defined]
            np.testing.assert_allclose(mine.stats_sumsq, statistics.stats_sumsq, rtol=1e-3)  # type: ignore[attr-defined]
    return max(found)


def test_training_is_kaldis(tmp_path: Path, capfd: pytest.CaptureFixture) -> None:
    """The parameters, and the log that steps/chain2/internal/get_best_model.sh looks into."""
    out = str(tmp_path / "out.raw")
    assert twin("nnet3-chain-train2").run([*OPTIONS, "--srand=0", START, str(FOLDER), EXAMPLES, out]) == 0
    assert distance(out, FOLDER / "trained.raw") < 1e-3
    logged = capfd.readouterr().err
    found = re.findall(r"Overall average objective function for '(\S+)' is (\S+) over (\S+) frames", logged)
    assert {name: (float(value), float(frames)) for name, value, frames in found} == {
        name: (pytest.approx(value, rel=1e-3), frames) for name, (value, frames) in KALDIS_OBJECTIVES.items()
    }


def test_combination_is_kaldis(tmp_path: Path, capfd: pytest.CaptureFixture) -> None:
    """Two of three are best, and the statistics of batch norm are made anew."""
    out = str(tmp_path / "out.raw")
    arguments = ["--use-gpu=no", str(FOLDER), START, TRAINED, START, EXAMPLES, out]
    assert twin("nnet3-chain-combine2").run(arguments) == 0
    assert distance(out, FOLDER / "combined.raw") < 1e-6
    (line,) = re.findall(r"Combining 2 nnets, objective function changed from (\S+) to (\S+)", capfd.readouterr().err)
    assert [float(value) for value in line] == pytest.approx([-0.456922, -0.219046], rel=1e-4)


@pytest.mark.parametrize("program", ["nnet3-chain-train2", "nnet3-chain-combine2"])
@pytest.mark.parametrize(
    ("key", "graphs", "message"),
    [
        ("a?lang=french", "", "Network has no output named output-french"),
        ("a?lang=english", "nothing", "english.den.fst"),
        ("a", "default.den.fst", "default.den.fst"),
        ("a?lang=default", "wrong", "default.den.fst: the denominator graph has labels from 0 to 4"),
    ],
)
def test_a_language_that_is_not_there(
    tmp_path: Path, capfd: pytest.CaptureFixture, program: str, key: str, graphs: str, message: str
) -> None:
    folder = FOLDER / graphs
    if graphs == "wrong":
        folder = tmp_path / "wrong"
        folder.mkdir()
        data = (FOLDER / "default.den.fst").read_bytes()
        arc = data.index(np.array([3, 3], np.int32).tobytes())
        (folder / "default.den.fst").write_bytes(data[:arc] + bytes(8) + data[arc + 8 :])
    examples, out = f"ark:{tmp_path / 'in.cegs'}", tmp_path / "out.raw"
    with SequentialReader(EXAMPLES, CHAIN_EXAMPLE) as read, TableWriter(examples, CHAIN_EXAMPLE) as writer:
        writer.write(key, next(iter(read))[1])
    networks = [START, str(folder)] if program.endswith("train2") else [str(folder), START]
    assert run(twin(program), [*OPTIONS, *networks, examples, str(out)]) == 255
    assert message in capfd.readouterr().err
    assert not out.exists()

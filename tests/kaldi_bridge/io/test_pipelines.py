"""Pipelines of our own programs, forked by the program that reads them: as with a shell, in everything one can see."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from kaldi_bridge.tables import SequentialReader, TableWriter
from kaldi_bridge.tables.holders import FLOAT_MATRIX

BIN = Path(sys.executable).parent
ENVIRONMENT = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}", "OMP_NUM_THREADS": "1"}
IS_FORKED = """
import sys
from kaldi_bridge.io import pipelines
{before}
forked = pipelines.fork_pipeline(sys.argv[1])
if forked is None:
    sys.exit("left to a shell")
source, children = forked
data = open(source, "rb").read()
sys.exit(f"{{len(data)}} bytes, status {{pipelines.wait_for(children)}}")
"""


def run(*words: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(list(map(str, words)), env=ENVIRONMENT, capture_output=True, text=True, timeout=60)


def tried(command: str, before: str = "pipelines.allow_forks()") -> str:
    return run(sys.executable, "-c", IS_FORKED.format(before=before), command).stderr


@pytest.fixture
def features(tmp_path: Path) -> Path:
    random = np.random.default_rng(0)
    with TableWriter(f"ark:{tmp_path}/feats.ark", FLOAT_MATRIX) as writer:
        for number in range(40):
            writer.write(f"utt{number:02}", random.normal(size=(100, 13)).astype(np.float32))
    return tmp_path / "feats.ark"


def test_which_are_forked(features: Path, tmp_path: Path) -> None:
    copy = f"nnet-pytorch-copy-feats ark:{features} ark:-"
    size = features.stat().st_size
    assert tried(f"{copy} | nnet-pytorch-copy-feats ark:- ark:- ").endswith(f"\n{size} bytes, status 0\n")
    assert tried(f"cat {features} | {copy.replace(str(features), '-')}").endswith(f"\n{size} bytes, status 0\n")
    assert tried(f"{copy} | cat {features}.none").endswith("\n0 bytes, status 1\n")
    others = ("A=b cat x", "cat ?.ark", "no-such-program x")
    for name in ("2.b", "10.b", ".3.b"):
        (tmp_path / name).write_text(name)
    assert tried(f"cat {tmp_path}/*.b {features}") == f"{size + 7} bytes, status 0\n"
    assert tried(f"echo {tmp_path}/*.c") == f"{len(str(tmp_path)) + 5} bytes, status 0\n"
    (tmp_path / "a * b|").write_text("quoted")
    assert tried(f"cat '{tmp_path}/a * b|' \"{tmp_path}/2.b\"") == "9 bytes, status 0\n"
    for command in (f"{copy}'a'", 'cat "$HOME"', f"{copy} > /dev/null", f"{copy} |", *others):
        assert tried(command) == "left to a shell\n"
    assert tried(copy, before="") == "left to a shell\n"
    assert tried(copy, before="pipelines.allow_forks(); sys.modules['torch'] = sys") == "left to a shell\n"


def test_same_output_and_messages(features: Path, tmp_path: Path) -> None:
    """A pipe within a pipe, and an output pipe that must see its end while the children of the input are there."""
    deltas = f"nnet-pytorch-add-deltas ark:{features} ark:-"
    results = []
    for pipe in (f"{deltas} | nnet-pytorch-add-deltas --delta-order=0 ark:- ark:- |", f"{deltas} | cat; true |"):
        made = run("nnet-pytorch-copy-feats", f"ark:{pipe}", f"ark:| cat > {tmp_path}/made.ark")
        assert made.returncode == 0, made.stderr
        results.append(dict(SequentialReader(f"ark:{tmp_path}/made.ark", FLOAT_MATRIX)))
        assert f"\n{deltas.replace('ark:-', 'ark:- ')}" in made.stderr
        assert "LOG (nnet-pytorch-copy-feats" in made.stderr and "Copied 40 feature matrices" in made.stderr
    assert results[0].keys() == results[1].keys()
    assert all(np.array_equal(results[0][key], results[1][key]) for key in results[0])


def test_failures(features: Path, tmp_path: Path) -> None:
    """The last program's failure is the pipe's; who stops reading early kills the programs, on purpose."""
    made = run("nnet-pytorch-copy-feats", f"ark:nnet-pytorch-copy-feats ark:{features}.none ark:- |", "ark:/dev/null")
    assert made.returncode == 255
    assert "feats.ark.none" in made.stderr and "failed with status 255" in made.stderr
    made = run("nnet-pytorch-feat-to-dim", f"ark:nnet-pytorch-copy-feats ark:{features} ark:- |", "-")
    assert made.returncode == 0 and made.stdout == "13\n", made.stderr
    assert "ERROR" not in made.stderr

"""Programs of x-vectors beside Kaldi's own: x-vectors to 1e-4, examples as text, and the exit status.

What those wrote is in xvector_outputs.json; make_xvector_outputs.py, which made it, has the inputs.
"""

import json
from pathlib import Path

import numpy as np
import pytest

from kaldi_bridge.command import run
from nnet3_compat.utterances.embedding_batches import chunk_starts
from tests.helpers.twins import twin
from tests.nnet3_compat.commands.nnet3bin.make_xvector_outputs import COMMANDS, OUTPUTS, make_inputs

MADE = json.loads(OUTPUTS.read_text())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("xvectors")
    make_inputs(folder, MADE["network"])
    return folder


@pytest.mark.parametrize("line", COMMANDS)
def test_as_kaldi(folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], line: str) -> None:
    monkeypatch.chdir(folder)
    expected = MADE[line]
    program, *words = line.split()
    crashed = expected["status"] < 0  # a failed assertion: ours say what was wrong
    assert run(twin(program), words) == (255 if crashed else expected["status"])
    out = folder / "OUT"
    told = capfd.readouterr().err
    if expected["status"]:
        assert ("ERROR" in told) == (expected["status"] != 1)
        assert out.exists() == (expected["status"] == 1)
        out.unlink(missing_ok=True)
        return
    text = out.read_text()
    out.unlink()
    if program == "nnet3-xvector-get-egs":
        assert text.split() == expected["text"].split()
        return
    ours, kaldis = ([row.split() for row in whole.splitlines()] for whole in (text, expected["text"]))
    assert [row[0] for row in ours] == [row[0] for row in kaldis] and kaldis
    for row, other in zip(ours, kaldis, strict=True):
        np.testing.assert_allclose(np.array(row[2:-1], float), np.array(other[2:-1], float), rtol=1e-4, atol=1e-4)


def test_options_that_leave_nothing(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    files = [str(folder / "net"), f"ark:{folder}/feats.ark", f"ark,t:{folder}/OUT"]
    for program, option, message in (
        ("nnet3-xvector-compute", "--chunk-size=0", "--chunk-size must be positive"),
        ("nnet3-xvector-compute", "--chunk-size=50 --pad-input=false", "all chunks would be left out"),
        ("nnet3-xvector-compute-batched", "--chunk-size=3", "must exceed the network's context"),
        ("nnet3-xvector-compute-batched", "--batch-size=0", "must be positive"),
    ):
        assert run(twin(program), [*option.split(), *files]) == 255
        assert message in capfd.readouterr().err
        assert not (folder / "OUT").exists()


@pytest.mark.parametrize(("frames", "size", "context"), [(1000, 150, 10), (151, 150, 16), (777, 100, 0), (298, 150, 4)])
def test_chunks_cover_the_utterance(frames: int, size: int, context: int) -> None:
    starts = chunk_starts(frames, size, context, pad=True)
    assert starts[0] >= 0 and starts[-1] + size <= frames
    steps = np.diff(starts) - (size - context)
    assert len(starts) == 1 or steps.max() - steps.min() <= 1

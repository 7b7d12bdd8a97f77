"""Programs of speaker recognition beside Kaldi's own: what they write, to 1e-4, and the exit status.

What those wrote is in speaker_outputs.json; make_speaker_outputs.py, which made it, has the inputs.
"""

import json
from pathlib import Path

import numpy as np
import pytest

from kaldi_bridge.command import run
from tests.helpers.twins import twin
from tests.kaldi_bridge.commands.ivectorbin.make_speaker_outputs import COMMANDS, OUTPUTS, make_inputs

MADE = json.loads(OUTPUTS.read_text())
WITH_DIRECTIONS = ("ivector-compute-lda", "ivector-compute-plda", "ivector-adapt-plda")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("speakers")
    make_inputs(folder)
    return folder


def is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def same_directions(rows: list[list[float]], others: list[list[float]]) -> list[list[float]]:
    """The rows, of which one is turned around where the other's is: signs of eigenvectors are arbitrary."""
    return [
        [-value for value in row] if len(row) > 1 and np.dot(row, other) < 0 else row
        for row, other in zip(rows, others, strict=True)
    ]


@pytest.mark.parametrize("line", COMMANDS)
def test_as_kaldi(folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], line: str) -> None:
    monkeypatch.chdir(folder)
    expected = MADE[line]
    program, *words = line.split()
    crashed = expected["status"] < 0  # a failed assertion: ours say what was wrong
    assert run(twin(program), words) == (255 if crashed else expected["status"])
    out = folder / "OUT"
    if expected["status"]:
        told = capfd.readouterr().err
        if expected["status"] == 1:  # nothing to do, no error
            out.unlink(missing_ok=True)
            assert "ERROR" not in told
        else:
            assert not out.exists() and "ERROR" in told
        return
    text = out.read_text() if "OUT" in line else capfd.readouterr().out
    out.unlink(missing_ok=True)
    ours, kaldis = ([row.split() for row in whole.splitlines()] for whole in (text, expected["text"]))
    assert [[word for word in row if not is_number(word)] for row in ours] == [
        [word for word in row if not is_number(word)] for row in kaldis
    ]
    numbers, others = ([[float(w) for w in row if is_number(w)] for row in rows] for rows in (ours, kaldis))
    if program in WITH_DIRECTIONS:
        numbers = same_directions(numbers, others)
    assert sum(map(len, others)) > 0
    for row, other in zip(numbers, others, strict=True):
        np.testing.assert_allclose(row, other, rtol=1e-4, atol=1e-4)

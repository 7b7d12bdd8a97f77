"""Programs of speaker recognition beside Kaldi's own: what they write, to 1e-4, and the exit status.

What those wrote is in speaker_outputs.json; make_speaker_outputs.py, which made it, has the inputs.
"""

import json
from pathlib import Path

import numpy as np
import pytest

from kaldi_bridge.command import run
from kaldi_bridge.tables import SequentialReader, TableWriter
from kaldi_bridge.tables.holders import FLOAT_MATRIX, FLOAT_VECTOR
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


BAD = """
ivector-compute-plda ark:spk2utt ark:nan.ark OUT | not a number
ivector-compute-plda ark:spk2utt ark:short.ark OUT | different dimensions
ivector-compute-lda --dim=2 ark:nan.ark ark:utt2spk OUT | not a number
ivector-compute-lda --dim=2 ark:short.ark ark:utt2spk OUT | dimension mismatch
ivector-adapt-plda plda ark:nan.ark OUT | not a number
ivector-adapt-plda singular ark:ivectors.ark OUT | the transform of the PLDA model is singular
ivector-adapt-plda plda ark:short.ark OUT | s0-u1: an i-vector of dimension 3
ivector-copy-plda negative OUT | negative variances
ivector-copy-plda cut OUT | cut
ivector-copy-plda uneven OUT | a mean of 2, a transform of 1 by 2
ivector-plda-scoring-dense plda ark:reco2utt ark:nan.ark ark:OUT | not a number
ivector-plda-scoring-dense singular ark:reco2utt ark:ivectors.ark ark:OUT | singular
ivector-plda-scoring plda ark:short.ark ark:tests.ark trials OUT | dimension 3
agglomerative-cluster ark:feats.ark ark:reco2seg ark:OUT | recording a: 
agglomerative-cluster ark:uneven.ark ark:reco2seg ark:OUT | costs of 12 by 3
agglomerative-cluster --first-pass-max-utterances=0 ark:alike.ark ark:reco2seg ark:OUT | must be positive
logistic-regression-train ark:nan.ark ark:classes OUT | not a number
logistic-regression-eval logistic ark:short.ark ark:OUT | dimension 3
compute-eer trials | line 1
ivector-subtract-global-mean mean.vec ark:short.ark ark:OUT | dimension 3
compute-vad --vad-frames-context=-1 ark:feats.ark ark:OUT | must not be negative
""".strip().split("\n")


@pytest.fixture(scope="module")
def bad_folder(folder: Path) -> Path:
    entries = list(SequentialReader(f"ark:{folder}/ivectors.ark", FLOAT_VECTOR))
    for name, wrong in (("nan", np.full(5, np.nan)), ("short", np.ones(3))):
        with TableWriter(f"ark:{folder}/{name}.ark", FLOAT_VECTOR) as writer:
            for i, (key, vector) in enumerate(entries):
                writer.write(key, wrong if i == 1 else vector)
    with TableWriter(f"ark:{folder}/uneven.ark", FLOAT_MATRIX) as matrices:
        matrices.write("r12", np.ones((12, 3)))
    plda = (folder / "plda").read_text()
    for name, text in {
        "singular": plda.replace("0.9 0.1 0 0.2 -0.1", "0 0 0 0 0"),
        "negative": plda.replace("22 9 4", "-22 9 4"),
        "cut": plda[:90],
        "uneven": "<Plda>  [ 1 2 ]\n [ 1 0 ]\n [ 1 2 ]\n</Plda> ",
    }.items():
        (folder / name).write_text(text)
    return folder


@pytest.mark.parametrize("line", BAD)
def test_bad_input(
    bad_folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], line: str
) -> None:
    monkeypatch.chdir(bad_folder)
    command, message = line.split(" | ")
    program, *words = command.split()
    assert run(twin(program), words) == 255
    told = capfd.readouterr().err.splitlines()[-1]
    assert message in told and "a bug" not in told
    assert not Path("OUT").exists()

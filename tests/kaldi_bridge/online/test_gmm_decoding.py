"""Online decoding by GMMs with basis fMLLR, beside what Kaldi's program wrote (gmm/make.py)."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from kaldi_bridge.io.streams import open_output
from kaldi_bridge.io.wave import Wave, write_wave
from tests.helpers.kaldis_outputs import Case, assert_alike, assert_as_kaldi, enter_copy, name_of, read_cases
from tests.helpers.twins import twin
from tests.kaldi_bridge.online.gmm.make import DELTAS, RATE, SPEAKERS, TABLES, recording, write_recordings

DATA = Path(__file__).parent / "gmm"
ALL = [name for of_speaker in SPEAKERS.values() for name in of_speaker]
PROGRAM = "online2-wav-gmm-latgen-faster"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = enter_copy(DATA, tmp_path, monkeypatch)
    write_recordings(folder)
    return folder


@pytest.mark.parametrize("case", read_cases(DATA), ids=name_of)
def test_as_kaldi(case: Case, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """The same lattices, costs to 1e-4."""
    assert_as_kaldi(case, folder)
    heard = capfd.readouterr().err
    assert "Did not find audio for utterance missing" in heard
    found = re.search(r"Overall likelihood per frame was .*", heard)
    assert found
    assert_alike(found[0], case["log"][-1])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--model="], "You must supply the --model option"),
        (["--model=HCLG.fst"], "HCLG.fst"),
        (["--fmllr-basis="], "you need to supply the --fmllr-basis option"),
        (["--fmllr-basis=lda.mat"], "lda.mat"),
        (["--global-cmvn-stats="], "--global-cmvn-stats option is required"),
        (["--splice-feats=true"], "cannot supply both --add-deltas and --splice-feats"),
        (["--splice-config=splice.conf"], "--splice-config has no effect without --splice-feats"),
        (["--delta-config="], "dimension 9"),
        (["--lda-matrix=lda.mat"], "transform matrix has bad dimension 6x13 versus feat dim 6"),
        (["--feature-type=x"], "Invalid feature type: x"),
        (["--adaptation-ratio=1"], "--adaptation-delay must be positive, and -ratio larger than 1"),
        (["--fmllr-lattice-beam=nan"], "--fmllr-lattice-beam=nan must be greater than zero"),
        (["--acoustic-scale=0"], "--acoustic-scale=0 must be greater than zero"),
        (["--do-endpointing=true"], "nonempty --endpoint.silence-phones"),
        (["--silence-phones=a"], "--silence-phones=a"),
        (["--mfcc-config=cmvn.conf"], "cmvn.conf"),
    ],
)
def test_errors(options: list[str], message: str, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert twin(PROGRAM).run(["--config=decode.conf", *DELTAS, *options, *TABLES]) == 255
    assert message in capfd.readouterr().err


def test_recordings_that_cannot_be_decoded(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """They are left out, and the speaker stays as it was."""
    (folder / "spk2utt").write_text("a missing\n")
    assert twin(PROGRAM).run(["--config=decode.conf", *DELTAS, *TABLES]) == 1
    heard = capfd.readouterr().err
    assert "Decoded 0 utterances, 1 with errors." in heard and "nan per frame over 0 frames" in heard
    (folder / "short.wav").write_bytes((folder / "a-1.wav").read_bytes()[:44] + bytes(40))
    (folder / "wav.scp").write_text("x cat short.wav |\na-1 a-1.wav\n")
    (folder / "spk2utt").write_text("a x a-1\n")
    assert twin(PROGRAM).run(["--config=decode.conf", *DELTAS, *TABLES]) in (0, 255)


def test_digital_silence_at_the_end(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """None of its equal frames counts for fMLLR until another one comes. Kaldi's program says -10.491."""
    names = ["a-1", "a-3", "b-1"]
    for name in names:
        samples = np.concatenate([recording(ALL.index(name)), np.zeros(6000, np.float32)])
        with open_output(f"{folder}/{name}.wav") as stream:
            write_wave(stream, Wave(RATE, samples[None]))
    (folder / "spk2utt").write_text("a a-1 a-3\nb b-1\n")
    assert twin(PROGRAM).run(["--config=decode.conf", *DELTAS, *TABLES]) == 0
    assert "Overall likelihood per frame was -10.491 per frame over 544 frames." in capfd.readouterr().err


def test_nothing_but_digital_silence(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """What is held back of it counts once the normalization has changed. Kaldi's program says -4.13624."""
    with open_output(f"{folder}/a-1.wav") as stream:
        write_wave(stream, Wave(RATE, np.zeros((1, 8000), np.float32)))
    (folder / "spk2utt").write_text("a a-1\n")
    assert twin(PROGRAM).run(["--config=decode.conf", *DELTAS, *TABLES]) == 0
    assert "Overall likelihood per frame was -4.13624 per frame over 98 frames." in capfd.readouterr().err

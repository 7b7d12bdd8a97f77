"""Speakers' vectors beside Vosk's, of ``vosk.json``: by a small network of chance, which tells nothing of speakers."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from kaldi_bridge.errors import KaldiError
from nnet3_compat import Model, Recognizer
from nnet3_compat.recognition.speaker_model import SpeakerModel
from tests.helpers.vosk_models import samples_of, with_pauses, without_dither
from tests.nnet3_compat.recognition.test_recognizer import KEPT, NAMES, hear

SPEAKER = Path(__file__).parent / "speaker"


def test_vectors_of_segments(reference: Path, corpus: Path, tmp_path: Path) -> None:
    """Vosk takes frames for silence by what it thought when they came, we by the best path: a few are others.

    Where they are the same the vectors are, to 1e-5.
    """
    model = Model(without_dither(reference / "fsdd/vosk", tmp_path / "model"))
    files = [corpus / f"fsdd/test/wav/{name}.wav" for name in NAMES]
    files = [files[2], with_pauses(files[:3], 1.3, tmp_path / "long.wav")]
    speakers, exact = SpeakerModel(SPEAKER), 0
    for file, expected in zip(files, KEPT["speakers"], strict=True):
        said = hear(Recognizer(model, 8000, speaker_model=speakers), samples_of(file))
        for (_, mine), (_, vosks) in zip(said, expected, strict=True):
            assert ("spk" in mine) == ("spk" in vosks) and mine.get("text") == vosks.get("text")
            if "spk" not in mine:
                continue
            assert abs(mine["spk_frames"] - vosks["spk_frames"]) <= 12
            same = mine["spk_frames"] == vosks["spk_frames"]
            np.testing.assert_allclose(mine["spk"], vosks["spk"], atol=1e-5 if same else 0.1)
            assert np.linalg.norm(mine["spk"]) == pytest.approx(np.sqrt(6), rel=1e-5)
            exact += same
    assert exact >= 1


def test_speaker_models_that_are_none(tmp_path: Path) -> None:
    folder = tmp_path / "speaker"
    shutil.copytree(SPEAKER, folder)
    (folder / "mean.vec").write_bytes(b"\0BFV \4\2\0\0\0" + bytes(8))
    with pytest.raises(KaldiError, match="makes vectors of dimension 12, the mean is of 2"):
        SpeakerModel(folder)
    (folder / "mfcc.conf").write_text("--num-ceps=13\n")
    with pytest.raises(KaldiError, match="of dimension 13 are configured, the network takes 20"):
        SpeakerModel(folder)
    (folder / "final.ext.raw").unlink()
    with pytest.raises(KaldiError, match=r"no such file .*final\.ext\.raw"):
        SpeakerModel(folder)

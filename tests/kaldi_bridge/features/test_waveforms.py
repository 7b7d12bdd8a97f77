"""Samples as features: the waveform itself, in as many frames as other features have, at the same times."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from kaldi_bridge.command import run
from kaldi_bridge.commands.data.compute_waveform_feats import main
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.features.extractor import FeatureExtractor
from kaldi_bridge.features.options import MfccOptions, WaveformOptions
from kaldi_bridge.io.streams import open_output
from kaldi_bridge.io.wave import Wave, write_wave
from kaldi_bridge.tables import SequentialReader
from kaldi_bridge.tables.holders import FLOAT_MATRIX

SAMPLES = np.arange(1, 4321, dtype=np.float32)


@pytest.mark.parametrize(
    ("rate", "shift", "length"), [(8000.0, 10.0, 25.0), (16000.0, 20.0, 20.0), (8000.0, 12.5, 25.125)]
)
@pytest.mark.parametrize("snip_edges", [True, False])
def test_frames_are_the_waveform(rate: float, shift: float, length: float, snip_edges: bool) -> None:
    """One after the other they are its samples: from the middle of the first window on, or all of them."""
    times = {"sample_frequency": rate, "frame_shift": shift, "frame_length": length, "snip_edges": snip_edges}
    extractor = FeatureExtractor(WaveformOptions(**times))
    made = extractor(SAMPLES, rate)
    assert made.shape == (len(FeatureExtractor(MfccOptions(**times))(SAMPLES, rate)), extractor.dim)
    per_frame, window = extractor.options.shift_samples, extractor.options.length_samples
    assert extractor.dim == per_frame
    first = window // 2 - per_frame // 2 if snip_edges else 0
    expected = np.pad(SAMPLES[first:], (0, per_frame), mode="symmetric")[: made.size]
    np.testing.assert_array_equal(made.ravel(), expected)


def test_a_shift_longer_than_a_frame_is_refused() -> None:
    with pytest.raises(KaldiError, match="--frame-shift=30 is more than --frame-length=25"):
        FeatureExtractor(WaveformOptions(frame_shift=30.0))


def test_the_program(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Another sampling rate, one that is shorter than a frame and one that is no recording are told, and left out."""
    for name, rate, samples in (("a", 8000.0, SAMPLES), ("b", 16000.0, SAMPLES), ("c", 8000.0, SAMPLES[:100])):
        with open_output(f"{tmp_path}/{name}.wav") as stream:
            write_wave(stream, Wave(rate, samples[None]))
    (tmp_path / "d.wav").write_text("no recording")
    (tmp_path / "wav.scp").write_text("".join(f"{name} {tmp_path}/{name}.wav\n" for name in "abcd"))
    assert run(main, ["--sample-frequency=8000", f"scp,p:{tmp_path}/wav.scp", f"ark:{tmp_path}/made.ark"]) == 0
    made = dict(SequentialReader(f"ark:{tmp_path}/made.ark", FLOAT_MATRIX))
    assert [len(made[name]) for name in made if len(made[name])] == [52]
    np.testing.assert_array_equal(made["a"].ravel(), SAMPLES[60 : 60 + 52 * 80])
    assert "Failed to compute features for utterance b" in capfd.readouterr().err

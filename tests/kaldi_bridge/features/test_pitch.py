"""Pitch of sounds whose pitch is known, of none at all, and of bad options; Kaldi's numbers are in commands/featbin."""

from __future__ import annotations

import numpy as np
import pytest

from kaldi_bridge.c_random import CRandom
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.features.pitch import PitchExtractor, PitchOptions
from kaldi_bridge.features.pitch_processing import PitchProcessingOptions, ProcessedPitch, WholePitch

RATE = 8000.0


def hum(pitch: float, seconds: float = 0.5) -> np.ndarray:
    phase = 2 * np.pi * pitch * np.arange(int(seconds * RATE)) / RATE
    return (3000 * sum(np.sin(k * phase) / k for k in range(1, 8))).astype(np.float32)


@pytest.mark.parametrize("pitch", [80.0, 133.0, 210.0, 350.0])
def test_pitch_of_a_hum(pitch: float) -> None:
    feats = PitchExtractor(PitchOptions(sample_frequency=RATE))(hum(pitch))
    assert feats.shape == (48, 2)
    assert (feats[:-1, 0] > 0.9).all()  # beyond the end there are zeros
    np.testing.assert_allclose(feats[:, 1], pitch, rtol=0.01)


def test_pieces_of_any_size() -> None:
    """Where the ballast grows by frame, they make no difference."""
    samples = np.concatenate([hum(120), np.zeros(1000, np.float32), hum(180)])
    extractor = PitchExtractor(PitchOptions(sample_frequency=RATE, nccf_ballast_online=True, snip_edges=False))
    whole = extractor(samples)
    for size in (7, 400, 3001):
        stream = extractor.stream()
        for begin in range(0, len(samples), size):
            stream.accept(samples[begin : begin + size])
        stream.finish()
        found = stream.frames(0, stream.num_ready)
        np.testing.assert_array_equal(found[:, 1], whole[:, 1])
        np.testing.assert_allclose(found[:, 0], whole[:, 0], atol=1e-5)


class Wavering:
    """Features of which fewer are ready once, as where costs are computed anew: each is its number."""

    def __init__(self) -> None:
        self._ready = iter([3, 5, 4, 4, 6])

    @property
    def num_ready(self) -> int:
        return next(self._ready)

    def frames(self, begin: int, end: int) -> np.ndarray:
        assert begin < end
        return np.arange(begin, end)


def test_frames_of_a_first_pass_come_once() -> None:
    options = PitchOptions(sample_frequency=RATE, frames_per_chunk=10, simulate_first_pass_online=True)
    found = PitchExtractor(options).heard(hum(100), lambda stream: Wavering())
    np.testing.assert_array_equal(found, np.arange(6))


@pytest.mark.parametrize("samples", [0, 1, 198, 250])
def test_too_short(samples: int) -> None:
    feats = PitchExtractor(PitchOptions(sample_frequency=RATE))(np.ones(samples, np.float32))
    assert feats.shape == (1 if samples > 198 else 0, 2)


def test_digital_silence() -> None:
    extractor = PitchExtractor(PitchOptions(sample_frequency=RATE))
    feats = extractor(np.zeros(4000, np.float32))
    assert (feats[:, 0] == 0).all() and (feats[:, 1] > 0).all()
    processed = ProcessedPitch(PitchProcessingOptions(), WholePitch(feats), CRandom(1))
    assert np.isfinite(processed.frames(0, processed.num_ready)).all()
    assert np.isfinite(extractor(np.concatenate([np.zeros(2000, np.float32), hum(100)]))).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"min_f0": 400.0}, "must be less than --max-f0"),
        ({"min_f0": 0.0}, "--min-f0=0 must be positive"),
        ({"penalty_factor": 0.0}, "--penalty-factor=0 must be positive"),
        ({"delta_pitch": 1e-9}, "--delta-pitch=1e-09 is too small"),
        ({"lowpass_cutoff": 2000.0}, "--lowpass-cutoff=2000 must be less than half"),
        ({"sample_frequency": 1500.0}, "--lowpass-cutoff=1000 must be less than half"),
        ({"sample_frequency": float("nan")}, "--sample-frequency=nan must be positive"),
        ({"upsample_filter_width": 0}, "--upsample-filter-width must be positive"),
        ({"frame_shift": 0.0}, "--frame-shift=0 is out of range"),
        ({"frame_length": 1e9}, "--frame-length=1e[+]09 is out of range"),
        ({"simulate_first_pass_online": True}, "unless you specify --frames-per-chunk"),
    ],
)
def test_bad_options(options: dict[str, float], message: str) -> None:
    with pytest.raises(KaldiError, match=message):
        PitchExtractor(PitchOptions(**{"sample_frequency": RATE, **options}))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"add_pov_feature": False, "add_normalized_log_pitch": False, "add_delta_pitch": False}, "At least one"),
        ({"delta_window": 0}, "--delta-window=0 must be positive"),
        ({"delay": -1}, "--delay=-1 must not be negative"),
        ({"normalization_left_context": -1}, "--normalization-left-context=-1 must not be negative"),
    ],
)
def test_bad_processing_options(options: dict[str, int], message: str) -> None:
    with pytest.raises(KaldiError, match=message):
        ProcessedPitch(PitchProcessingOptions(**options), WholePitch(np.ones((3, 2), np.float32)), CRandom(1))  # type: ignore[arg-type]


def test_what_is_no_pitch() -> None:
    with pytest.raises(KaldiError, match="two dimensions"):
        WholePitch(np.ones((3, 13), np.float32))
    with pytest.raises(KaldiError, match="not positive"):
        WholePitch(np.zeros((3, 2), np.float32))

"""Spectra, windows and mel bins beside their definitions; Kaldi's own features are in test_features_as_kaldi.py."""

import numpy as np
import pytest

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.features.extractor import FeatureExtractor
from kaldi_bridge.features.frames import (
    WINDOWS,
    energies,
    floored_log,
    power_spectra,
    window,
    windowed,
)
from kaldi_bridge.features.mel import mel, mel_banks
from kaldi_bridge.features.options import FbankOptions


@pytest.mark.parametrize("samples", [4, 8, 16, 32, 64, 256, 512, 2048, 6, 400])
@pytest.mark.parametrize("frames", [1, 16, 37])
def test_power_spectra(samples: int, frames: int) -> None:
    """To 1e-5 of the largest: powers of the root of unity are products of rounded ones, as in Kaldi."""
    signal = np.random.default_rng(samples).normal(size=(frames, samples)).astype(np.float32)
    expected = np.abs(np.fft.rfft(signal.astype(np.float64)))[:, :-1] ** 2
    found = power_spectra(signal)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=1e-5 * expected.max())


def test_a_frame_does_not_depend_on_those_beside_it() -> None:
    signal = np.random.default_rng(0).normal(size=(40, 512)).astype(np.float32)
    alone = np.vstack([power_spectra(frame[np.newaxis]) for frame in signal])
    np.testing.assert_array_equal(power_spectra(signal), alone)


def test_samples_of_frames() -> None:
    samples = np.array([1, 2, 3, 4, 5, 0, 7, 7, 7, 7, 7], np.float32)
    shape = np.array([1, 1, 1, 1, 2], np.float32)
    frames, powers = windowed(samples, 6, 2, shape, 8, 0.0, True)
    np.testing.assert_array_equal(frames, [[-2, -1, 0, 1, 4, 0, 0, 0], [0] * 8])
    np.testing.assert_array_equal(powers, [10, 0])
    np.testing.assert_allclose(floored_log(powers), [np.log(10), np.log(2.0**-23)], rtol=1e-6)
    frames, powers = windowed(samples, 6, 2, shape, 5, 0.5, False)
    np.testing.assert_array_equal(frames, [[0.5, 1.5, 2, 2.5, 6], [3.5, 3.5, 3.5, 3.5, 7]])
    np.testing.assert_array_equal(powers, [55, 245])
    np.testing.assert_array_equal(energies(frames), [48.75, 98])
    with pytest.raises(ValueError, match="not so many samples"):
        windowed(samples, 6, 3, shape, 5, 0.5, False)


@pytest.mark.parametrize("kind", WINDOWS)
def test_windows_are_symmetric(kind: str) -> None:
    shape = window(kind, 401)
    assert shape.dtype == np.float32
    np.testing.assert_allclose(shape, shape[::-1], atol=1e-6)
    assert shape.argmax() == 200 or kind == "rectangular"


def test_mel_bins_share_each_frequency_between_two() -> None:
    banks = mel_banks(23, 20.0, 4000.0, 8000.0, 256).weights
    assert banks.shape == (23, 128) and banks.dtype == np.float32
    edges = np.linspace(mel(20.0), mel(4000.0), 25)
    inside = (mel(np.arange(128) * 31.25) >= edges[1]) & (mel(np.arange(128) * 31.25) <= edges[-2])
    np.testing.assert_allclose(banks.sum(axis=0)[inside], 1, atol=1e-4)
    assert ((banks > 0).sum(axis=0) <= 2).all()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"num_mel_bins": 200}, "--num-mel-bins=200 is too large"),
        ({"frame_shift": 0.01}, "less than a sample"),
        ({"frame_length": 24.95, "round_to_power_of_two": False}, "even number of samples, not 399"),
        ({"window_type": "round"}, "must be one of hamming, hanning"),
    ],
)
def test_options_that_frames_cannot_be_made_with(wrong: dict[str, object], message: str) -> None:
    with pytest.raises(KaldiError, match=message):
        FeatureExtractor(FbankOptions(**wrong))

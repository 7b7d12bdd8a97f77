"""From features back to waveforms that have them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.features.extractor import FeatureExtractor
from kaldi_bridge.features.inversion import FeatureInverter
from kaldi_bridge.features.options import FbankOptions, MfccOptions
from kaldi_bridge.io.streams import open_input
from kaldi_bridge.io.wave import read_wave

RATE = 8000.0


def fbank(**changes: Any) -> FbankOptions:
    return FbankOptions(**({"sample_frequency": RATE, "num_mel_bins": 40, "dither": 0.0} | changes))


def mfcc(**changes: Any) -> MfccOptions:
    usual = {"sample_frequency": RATE, "num_mel_bins": 40, "num_ceps": 40, "dither": 0.0, "use_energy": False}
    return MfccOptions(**(usual | changes))


def spoken(corpus: Path) -> np.ndarray:
    with open_input(str(next(iter(sorted((corpus / "fsdd" / "test" / "wav").glob("*.wav")))))) as stream:
        return read_wave(stream).data[0]


def vowel(seconds: float = 0.5) -> np.ndarray:
    """Harmonics of a gliding pitch, with some noise."""
    time = np.arange(int(RATE * seconds)) / RATE
    phase = 2 * np.pi * np.cumsum(120 + 40 * time) / RATE
    tone = sum(np.sin(k * phase) / k for k in range(1, 25))
    return (2000 * tone + 30 * np.random.default_rng(0).standard_normal(len(time))).astype(np.float32)


@pytest.mark.parametrize(
    "options",
    [
        mfcc(),
        mfcc(htk_compat=True, cepstral_lifter=0.0),
        fbank(),
        fbank(use_log_fbank=False),
        fbank(use_energy=True),
        fbank(use_energy=True, htk_compat=True),
    ],
)
def test_log_mel_energies_are_those_of_the_filterbank(options: FbankOptions | MfccOptions) -> None:
    """To 1e-3, of any kind of features that keep all of them."""
    waveform = vowel()
    want = FeatureExtractor(fbank())(waveform, RATE)
    features = FeatureExtractor(options)(waveform, RATE)
    inverter = FeatureInverter(options)
    assert features.shape[1] == inverter.dim
    assert np.abs(inverter.log_mel(features) - want).max() < 1e-3


@pytest.mark.parametrize(
    "options",
    [
        fbank(),
        fbank(num_mel_bins=23, low_freq=100, high_freq=-400),
        fbank(snip_edges=False),
        fbank(use_power=False, window_type="hamming", round_to_power_of_two=False),
        mfcc(preemphasis_coefficient=0.0, window_type="hanning"),
    ],
)
def test_the_waveform_has_the_features(options: FbankOptions | MfccOptions, corpus: Path) -> None:
    """Mean difference below 0.15 nats over the louder half of the bins; neighbouring frames differ by 0.4 to 0.8."""
    extractor, inverter = FeatureExtractor(options), FeatureInverter(options)
    for waveform in (vowel(), spoken(corpus)):
        features = extractor(waveform, RATE)
        again = inverter(features)
        assert again.dtype == np.float32
        made = extractor(again, RATE)
        assert made.shape == features.shape
        want, found = inverter.log_mel(features), inverter.log_mel(made)
        loud = want > np.median(want)
        assert np.abs(want - found)[loud].mean() < 0.15
        assert np.array_equal(again, inverter(features)) and not np.array_equal(again, inverter(features, seed=1))


def test_few_cepstra_make_a_smooth_spectrum() -> None:
    options = mfcc(num_ceps=13)
    features = FeatureExtractor(options)(vowel(), RATE)
    smooth = FeatureInverter(options).log_mel(features)
    full = FeatureExtractor(fbank())(vowel(), RATE)
    assert smooth.mean() == pytest.approx(full.mean(), abs=1e-3)
    assert np.abs(np.diff(smooth, axis=1)).mean() < np.abs(np.diff(full, axis=1)).mean()


def test_what_cannot_be_inverted() -> None:
    with pytest.raises(KaldiError, match="lack C0"):
        FeatureInverter(mfcc(use_energy=True))
    with pytest.raises(KaldiError, match="40 dimensions"):
        FeatureInverter(fbank())(np.zeros((5, 13), np.float32))
    with pytest.raises(KaldiError, match="no frames"):
        FeatureInverter(fbank())(np.zeros((0, 40), np.float32))
    with pytest.raises(KaldiError, match="window-type"):
        FeatureInverter(fbank(window_type="kaiser"))

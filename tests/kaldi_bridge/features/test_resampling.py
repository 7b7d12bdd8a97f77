"""Recordings at another rate against real Kaldi: its programs wrote kaldi_resampling.ark for the sounds made here.

compute-mfcc-feats, compute-fbank-feats and, in chunks of 0.05 s, online2-wav-dump-features, with --dither=0 and both
--allow-upsample and --allow-downsample, by Kaldi f40076610 with OpenBLAS (on a processor with AVX2).
"""

import math
from pathlib import Path

import numpy as np
import pytest

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.features.extractor import FeatureExtractor
from kaldi_bridge.features.options import FbankOptions, MfccOptions
from kaldi_bridge.features.resampling import (
    NUM_ZEROS,
    Resampler,
    ResamplingStream,
    recording_resampler,
    resampled,
    stream_resampler,
)
from kaldi_bridge.tables import SequentialReader
from kaldi_bridge.tables.holders import FLOAT_MATRIX

RATES = [(8000, 16000), (16000, 8000), (22050, 16000), (44100, 16000), (48000, 16000), (11025, 16000)]
KALDIS = Path(__file__).parent / "kaldi_resampling.ark"


def sound(rate: int) -> np.ndarray:
    """A fifth of a second that fills the band: 60 tones, and a click."""
    time = np.arange(rate // 5) / rate
    tones = [(300 - 4 * i) * np.sin(2 * np.pi * (rate / 2) * (i + 0.4) / 61 * time + i * i) for i in range(60)]
    samples = np.sum(tones, axis=0)
    samples[len(samples) // 3] += 5000
    return np.round(samples).astype(np.float32)


@pytest.fixture(scope="module")
def kaldis() -> dict[str, np.ndarray]:
    with SequentialReader(f"ark:{KALDIS}", FLOAT_MATRIX) as reader:
        return dict(reader)


def extractor(kind: str, rate: int) -> FeatureExtractor:
    options = {"sample_frequency": float(rate), "dither": 0.0, "allow_upsample": True, "allow_downsample": True}
    return FeatureExtractor(FbankOptions(**options) if kind == "fbank" else MfccOptions(**options))


def in_pieces(stream, samples: np.ndarray, size: int) -> np.ndarray:
    """What a stream makes of samples that come in ``size`` by ``size``."""
    starts = range(0, len(samples), size)
    return np.concatenate([stream.extend(samples[s : s + size], s + size >= len(samples)) for s in starts])


@pytest.mark.parametrize(("old", "new"), RATES)
@pytest.mark.parametrize("kind", ["mfcc", "fbank"])
def test_features_are_kaldis(kaldis: dict[str, np.ndarray], kind: str, old: int, new: int) -> None:
    """To 1e-4, the band above the old rate too, which is empty but for what the filter lets through."""
    found = extractor(kind, new)(sound(old), old)
    np.testing.assert_allclose(found, kaldis[f"{kind}-{old}-{new}"], rtol=0, atol=1e-4)


@pytest.mark.parametrize(("old", "new"), RATES)
def test_online_features_are_kaldis(kaldis: dict[str, np.ndarray], old: int, new: int) -> None:
    """As above, and the same for pieces of any size: online, Kaldi's filter is another than for whole recordings."""
    samples = sound(old)
    whole = extractor("mfcc", new).stream(old).extend(samples, last=True)
    np.testing.assert_allclose(whole, kaldis[f"online-{old}-{new}"], rtol=0, atol=1e-4)
    for size in (37, 160, len(samples) - 1):
        np.testing.assert_array_equal(in_pieces(extractor("mfcc", new).stream(old), samples, size), whole)


@pytest.mark.parametrize(("old", "new"), [*RATES, (16000, 11025), (8000, 8001)])
def test_any_part_is_that_of_the_whole(old: int, new: int) -> None:
    """In pieces as they come in, or from just the samples that a part is made of, to the last bit."""
    samples, resampler = sound(old), stream_resampler(old, new)
    length = resampler.length(len(samples))
    assert length == math.ceil(len(samples) * new / old)
    whole = resampler(samples, 0, length)
    for size in (1, 7, 1000):
        np.testing.assert_array_equal(in_pieces(ResamplingStream(resampler), samples, size), whole)
    for begin, end in ((0, 1), (5, 300), (length - 40, length)):
        first, last = resampler.span(begin, end)
        low, high = max(first, 0), min(last, len(samples))
        np.testing.assert_array_equal(resampler(samples[low:high], begin, end, low), whole[begin:end])


def kaldis_count(old: int, new: int, cutoff: float, received: int) -> int:
    """Samples that Kaldi has made before the end comes, rounded as there (LinearResample::GetNumOutputSamples)."""
    ticks = math.lcm(old, new)
    window = math.floor(np.float32(NUM_ZEROS / (2 * cutoff)) * np.float32(ticks))
    return max(0, -((window - received * (ticks // old)) // (ticks // new)))


@pytest.mark.parametrize(("old", "new"), RATES)
def test_samples_are_ready_when_kaldis_are(old: int, new: int) -> None:
    """Else frames would come later or earlier while decoding online, and i-vectors and endpoints with them."""
    resampler, cutoff = stream_resampler(old, new), min(old, new) / 2
    for received in range(2000):
        assert resampler.ready(received) == kaldis_count(old, new, cutoff, received)


def test_nothing_comes_of_nothing() -> None:
    assert resampled(np.zeros(0, np.float32), 8000, 16000).shape == (0,)
    assert len(resampled(np.ones(1, np.float32), 16000, 8000)) == 1
    stream = ResamplingStream(stream_resampler(8000, 16000))
    assert not len(stream.extend(np.ones(3, np.float32), last=False))
    assert len(stream.extend(np.zeros(0, np.float32), last=True)) == 6


def test_tones_stay_below_the_cutoff_and_go_above() -> None:
    time = np.arange(16000) / 16000
    for frequency, low, high in ((1000, 990, 1010), (6000, 0, 2)):
        tone = (1000 * np.sin(2 * np.pi * frequency * time)).astype(np.float32)
        found = resampled(tone, 16000, 8000)[100:-100]
        assert low <= np.abs(found).max() <= high


@pytest.mark.parametrize("rate", [0.5, -8000, 4e9, math.nan, math.inf])
def test_rates_out_of_range(rate: float) -> None:
    with pytest.raises(KaldiError, match="out of range"):
        recording_resampler(rate, 16000)
    with pytest.raises(KaldiError, match="out of range"):
        Resampler(16000, rate, 4000)


def test_rates_that_differ_without_the_option() -> None:
    """With Kaldi's messages, for whole recordings and online."""
    samples = sound(8000)
    options = FbankOptions(dither=0.0, allow_downsample=True)
    expected = r"Waveform and config sample Frequency mismatch: 8000 .vs 16000 \(use --allow-upsample=true"
    with pytest.raises(KaldiError, match=expected):
        FeatureExtractor(options)(samples, 8000)
    options.allow_upsample, options.allow_downsample = True, False
    expected = r"Sampling frequency mismatch, expected 16000, got 44100\nPerhaps .* --allow_{upsample,downsample}"
    with pytest.raises(KaldiError, match=expected):
        FeatureExtractor(options).stream(44100)
    assert len(FeatureExtractor(options)(samples, 8000))

"""Features with the very dither that Kaldi drew: what is left between ours and Kaldi's is rounding.

Kaldi dithers each frame by itself, with random numbers of a generator that begins where rand() says
(feat/feature-window.cc, Dither; base/kaldi-math.h, RandomState). Programs never call srand(), so the first frames of a
job always have the same.
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from kaldi_bridge.c_random import RAND_MAX, CRandom
from kaldi_bridge.features.extractor import FeatureExtractor
from kaldi_bridge.features.options import MfccOptions
from kaldi_bridge.io.compressed import CompressedMatrix
from kaldi_bridge.options import read_options
from kaldi_bridge.tables import SequentialReader
from kaldi_bridge.tables.holders import FLOAT_MATRIX, WAVE


def rand_r(seed: int) -> Iterator[int]:
    """rand_r() of the GNU C library."""
    while True:
        value = 0
        for bits in (11, 10, 10):
            seed = (seed * 1103515245 + 12345) % (1 << 32)
            value = value << bits if bits == 10 else value
            value ^= (seed >> 16) % (1 << bits)
        yield value


def dither(seed: int, count: int) -> np.ndarray:
    """Normally distributed random numbers by Kaldi's RandGauss."""
    drawn = np.fromiter(rand_r(seed), float, 2 * count).reshape(count, 2)
    a, b = ((drawn + 1) / (RAND_MAX + 2.0)).astype(np.float32).T
    return np.sqrt(-2 * np.log(a)) * np.cos((2 * np.pi * b.astype(float)).astype(np.float32))


@pytest.mark.parametrize(("config", "data"), [("mfcc_hires", "train_hires"), ("mfcc", "train")])
def test_mfcc_with_kaldis_dither_are_kaldis(
    reference: Path, monkeypatch: pytest.MonkeyPatch, config: str, data: str
) -> None:
    """Nine of ten numbers within 1e-3, after the same compression. Rounding changes some of its integers in others.

    These are of 16 bits for quartiles of columns, which move many values a little, and of 8 bits for values.
    """
    monkeypatch.chdir(reference / "fsdd")  # names of files are relative to it
    options = read_options(f"conf/{config}.conf", MfccOptions)
    assert options.dither == 1.0
    extract = FeatureExtractor(replace(options, dither=0.0))
    seeds = CRandom(1)
    with (
        SequentialReader(f"scp:data/{data}/wav.scp", WAVE) as recordings,
        SequentialReader(f"ark:data/{data}/feats.ark", FLOAT_MATRIX) as kaldis,
    ):
        for (utterance, recording), (key, expected) in islice(zip(recordings, kaldis, strict=True), 3):
            assert utterance == key
            rows = []
            for frame in range(len(expected)):
                begin = options.first_sample(frame)
                samples = recording.data[0, begin : begin + options.length_samples]
                noise = dither((seeds.rand() + 27437) % (1 << 32), len(samples))
                rows.append(extract(samples + noise.astype(np.float32), options.sample_frequency))
            difference = np.abs(CompressedMatrix.compress(np.vstack(rows)).decompress() - expected)
            assert (difference > 1e-3).mean() < 0.1
            assert (difference > 5e-3).mean() < 1e-3
            assert difference.max() < np.ptp(expected, axis=0).max() / 255  # one of 8 bits' steps

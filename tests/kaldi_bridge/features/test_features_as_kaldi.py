"""MFCC and filterbanks with all options against real Kaldi: its programs wrote kaldi_features.ark of one sound.

compute-mfcc-feats and compute-fbank-feats with --dither=0 and the options below, by Kaldi f40076610 with OpenBLAS (on a
processor with AVX2).
"""

from pathlib import Path

import numpy as np
import pytest

from kaldi_bridge.features.extractor import FbankOptions, FeatureExtractor, MfccOptions
from kaldi_bridge.options import read_options
from kaldi_bridge.tables import SequentialReader
from kaldi_bridge.tables.holders import FLOAT_MATRIX

RATE = 8000
KALDIS = Path(__file__).parent / "kaldi_features.ark"
CASES = {
    "defaults": "",
    "mirrored": "--snip-edges=false",
    "hamming": "--window-type=hamming --preemphasis-coefficient=0",
    "hanning": "--window-type=hanning --remove-dc-offset=false",
    "rectangular": "--window-type=rectangular --low-freq=100 --high-freq=-200",
    "sine": "--window-type=sine --frame-length=31.6 --frame-shift=7.3",
    "blackman": "--window-type=blackman --blackman-coeff=0.4 --num-mel-bins=15",
    "energy": "--use-energy=true --energy-floor=1e11",
    "windowed-energy": "--use-energy=true --raw-energy=false --htk-compat=true",
    "no-energy": "--use-energy=false --htk-compat=true",
    "odd": "--frame-length=24.9 --snip-edges=false",
    "not-a-power": "--round-to-power-of-two=false",
}
KINDS = {
    "mfcc": {**CASES, "unliftered": "--cepstral-lifter=0 --num-ceps=23 --use-energy=false"},
    "fbank": {**CASES, "linear": "--use-log-fbank=false", "magnitude": "--use-power=false"},
}


def sound() -> np.ndarray:
    """An eighth of a second: thirty tones that fade, and an offset."""
    time = np.arange(RATE // 8) / RATE
    tones = [(400 - 10 * i) * np.sin(2 * np.pi * (RATE / 2) * (i + 0.3) / 31 * time + i * i) for i in range(30)]
    return np.round(np.sum(tones, axis=0) * np.linspace(2, 0.1, len(time)) + 70).astype(np.float32)


@pytest.fixture(scope="module")
def kaldis() -> dict[str, np.ndarray]:
    with SequentialReader(f"ark:{KALDIS}", FLOAT_MATRIX) as reader:
        return dict(reader)


@pytest.mark.parametrize(("kind", "case"), [(kind, case) for kind, cases in KINDS.items() for case in cases])
def test_features_are_kaldis(kaldis: dict[str, np.ndarray], tmp_path: Path, kind: str, case: str) -> None:
    """To 1e-4, where features are not logarithms of the largest; pieces of any size give the same to the last bit."""
    (tmp_path / "conf").write_text(f"--sample-frequency={RATE} --dither=0 {KINDS[kind][case]}\n".replace(" ", "\n"))
    extractor = FeatureExtractor(read_options(str(tmp_path / "conf"), MfccOptions if kind == "mfcc" else FbankOptions))
    samples, expected = sound(), kaldis[f"{kind}-{case}"]
    found = extractor(samples, RATE)
    scale = np.abs(expected).max() if case == "linear" else 1
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-4 * scale)
    assert extractor.dim == expected.shape[1]
    for size in (1, 33, 500):
        stream = extractor.stream(RATE)
        starts = range(0, len(samples), size)
        pieces = [stream.extend(samples[s : s + size], s + size >= len(samples)) for s in starts]
        np.testing.assert_array_equal(np.concatenate(pieces), found)

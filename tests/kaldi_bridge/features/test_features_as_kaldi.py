"""MFCC, filterbanks, PLP and spectrograms with all options against real Kaldi, which made kaldi_features.ark.

Its compute-{mfcc,fbank,plp,spectrogram}-feats made it of one sound with --dither=0 and the options below: Kaldi
f40076610 with OpenBLAS, on a processor with AVX2.
"""

from pathlib import Path

import numpy as np
import pytest

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.features.extractor import FeatureExtractor
from kaldi_bridge.features.options import FbankOptions, MfccOptions, PlpOptions, SpectrogramOptions
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
PLP_CASES = ("defaults", "mirrored", "hamming", "energy", "windowed-energy", "no-energy", "not-a-power")
KINDS = {
    "mfcc": {**CASES, "unliftered": "--cepstral-lifter=0 --num-ceps=23 --use-energy=false"},
    "fbank": {**CASES, "linear": "--use-log-fbank=false", "magnitude": "--use-power=false"},
    "plp": {
        **{case: CASES[case] for case in PLP_CASES},
        "order": "--lpc-order=20 --num-ceps=18 --use-energy=false --cepstral-lifter=0 --compress-factor=0.5 "
        "--cepstral-scale=10 --num-mel-bins=21",
    },
    "spectrogram": {
        "defaults": "",
        "mirrored": "--snip-edges=false --window-type=hamming",
        "energy": "--energy-floor=1e11",
        "windowed-energy": "--raw-energy=false",
        "not-a-power": "--round-to-power-of-two=false",
        "raw": "--return-raw-fft=true",
        "raw-not-a-power": "--return-raw-fft=true --round-to-power-of-two=false",
    },
}
OPTIONS = {"mfcc": MfccOptions, "fbank": FbankOptions, "plp": PlpOptions, "spectrogram": SpectrogramOptions}
WIDE, NARROW = "--vtln-low=200 --vtln-high=-300", "--low-freq=50 --high-freq=3800 --vtln-high=3500"
WARPED = {
    ("plp", "warped"): (0.9, "--use-energy=false"),
    ("plp", "warped-up"): (1.13, f"{WIDE} --use-energy=false"),
    ("mfcc", "warped"): (0.9, "--use-energy=false"),
    ("mfcc", "warped-up"): (1.13, WIDE),
    ("mfcc", "warped-low"): (0.8, NARROW),
    ("fbank", "warped"): (0.9, "--use-energy=false"),
    ("fbank", "warped-up"): (1.13, WIDE),
    ("fbank", "warped-low"): (0.8, NARROW),
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


def extractor_of(folder: Path, kind: str, options: str) -> FeatureExtractor:
    (folder / "conf").write_text(f"--sample-frequency={RATE} --dither=0 {options}\n".replace(" ", "\n"))
    return FeatureExtractor(read_options(str(folder / "conf"), OPTIONS[kind]))


@pytest.mark.parametrize(("kind", "case"), [(kind, case) for kind, cases in KINDS.items() for case in cases])
def test_features_are_kaldis(kaldis: dict[str, np.ndarray], tmp_path: Path, kind: str, case: str) -> None:
    """To 1e-4, of the largest where they are no logarithms; pieces of any size give the same to the last bit."""
    extractor = extractor_of(tmp_path, kind, KINDS[kind][case])
    samples, expected = sound(), kaldis[f"{kind}-{case}"]
    found = extractor(samples, RATE)
    scale = np.abs(expected).max() if case == "linear" or case.startswith("raw") else 1
    if (kind, case) == ("spectrogram", "not-a-power"):
        scale = 4  # logarithms of single frequencies, by other orders of a sum
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-4 * scale)
    assert extractor.dim == expected.shape[1]
    for size in (1, 33, 500):
        stream = extractor.stream(RATE)
        starts = range(0, len(samples), size)
        pieces = [stream.extend(samples[s : s + size], s + size >= len(samples)) for s in starts]
        np.testing.assert_array_equal(np.concatenate(pieces), found)


@pytest.mark.parametrize(("kind", "case"), WARPED)
def test_warped_features_are_kaldis(kaldis: dict[str, np.ndarray], tmp_path: Path, kind: str, case: str) -> None:
    """To 1e-4; and features of other speakers are as they were."""
    warp, options = WARPED[kind, case]
    extractor = extractor_of(tmp_path, kind, options)
    before = extractor(sound(), RATE)
    np.testing.assert_allclose(extractor(sound(), RATE, warp), kaldis[f"{kind}-{case}"], rtol=0, atol=1e-4)
    np.testing.assert_array_equal(extractor(sound(), RATE), before)


@pytest.mark.parametrize(
    ("options", "warp", "message"),
    [
        ("--vtln-low=10", 0.9, "Bad values in options: vtln-low 10"),
        ("--vtln-high=4000", 0.9, "Bad values in options: vtln-low 100 and vtln-high 4000"),
        ("", 0.0, "warp of 0"),
        ("", -1.0, "warp of -1"),
        ("", 50.0, "warp of 50"),
        ("", np.nan, "warp of nan"),
    ],
)
def test_impossible_warps(tmp_path: Path, options: str, warp: float, message: str) -> None:
    with pytest.raises(KaldiError, match=message):
        extractor_of(tmp_path, "mfcc", options)(sound(), RATE, warp)

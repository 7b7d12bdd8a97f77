"""Recordings through Speex, beside Kaldi's compress-uncompress-speex with the same libspeex (1.2.1)."""

from pathlib import Path

import numpy as np
import pytest

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.features import speex
from kaldi_bridge.features.speex import SpeexCodec, SpeexOptions
from kaldi_bridge.tables import SequentialReader
from kaldi_bridge.tables.holders import WAVE

KALDIS = Path(__file__).parent / "speex"  # what it wrote for made_up(), with these options
QUALITIES = {"best": SpeexOptions(), "less": SpeexOptions(speex_quality=8, speex_bits_frame_size=70)}
RATE = 16000.0


def made_up() -> np.ndarray:
    """[2, 1921] whole numbers: a glide with steps, and an echo of clicks."""
    times = np.arange(6 * 320 + 1)
    glide = 3000 * np.sin(times * (0.05 + times * 2e-5)) + 200 * (times % 7)
    clicks = 8000.0 * (times % 160 == 0) - 3000.0 * (times % 160 == 9)
    return np.round(np.stack([glide, clicks])).astype(np.float32)


def codec(options: SpeexOptions) -> SpeexCodec:
    try:
        return SpeexCodec(options)
    except KaldiError as error:
        pytest.skip(str(error))


@pytest.mark.parametrize("name", QUALITIES)
def test_as_kaldi(name: str) -> None:
    """Equal once they are 16-bit integers, but for a rounding of another build of the library."""
    (_, kaldis), *_ = SequentialReader(f"ark:{KALDIS}/{name}.ark", WAVE)
    through = codec(QUALITIES[name])
    ours = np.stack([through.through(channel, RATE) for channel in made_up()])
    np.testing.assert_allclose(ours, kaldis.data, atol=1.5)
    assert np.abs(ours[:, : 5 * 320]).max(axis=1).min() > 1000 and not ours[:, 5 * 320 :].any()


@pytest.mark.parametrize(("samples", "heard"), [(0, 0), (320, 0), (640, 0), (641, 320)])
def test_short_recordings(samples: int, heard: int) -> None:
    made = codec(SpeexOptions()).through(made_up()[0, :samples], RATE)
    assert len(made) == samples and len(made.nonzero()[0]) <= heard


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (SpeexOptions(sample_rate=8000.0), "Sampling frequency mismatch, expected 8000, got 16000"),
        (SpeexOptions(speex_quality=8), "a coded frame has 70 bytes, and --speex-bits-frame-size=106"),
        (SpeexOptions(speex_wave_frame_size=160), "Speex has frames of 320"),
    ],
)
def test_options_that_do_not_fit(options: SpeexOptions, said: str) -> None:
    through = codec(options)
    with pytest.raises(KaldiError, match=said):
        through.through(made_up()[0], RATE)


def test_without_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speex, "LIBRARIES", ("libno-such-speex.so",))
    with pytest.raises(KaldiError, match="not installed .*apt install libspeex1"):
        SpeexCodec(SpeexOptions())
    with pytest.raises(KaldiError, match="--speex-quality=11 is not between 0 and 10"):
        SpeexCodec(SpeexOptions(speex_quality=11))

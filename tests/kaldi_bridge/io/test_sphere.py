"""SPHERE files as LDC's corpora have them.

NIST's own examples (lib/data of its SPHERE 2.6: shortened and not, of versions 1 and 2, integers and mu-law, one and
two channels, shifted blocks) give the same samples with and without compression; they are not kept here. What is here
was compressed by the test.
"""

import contextlib
import struct
from pathlib import Path

import numpy as np
import pytest

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.shorten import decode_shorten
from kaldi_bridge.io.sphere import SphereRecording, read_sphere
from kaldi_bridge.io.streams import open_input
from tests.helpers.shorten_encoder import Encoder
from tests.helpers.sphere_files import sphere_bytes

MU_LAW = 8


def read(path: Path, content: bytes) -> SphereRecording:
    path.write_bytes(content)
    with open_input(str(path)) as stream:
        return read_sphere(stream)


@pytest.fixture
def samples() -> np.ndarray:
    """int16 [samples, 2]: a noisy tone and silence."""
    random = np.random.default_rng(0)
    tone = 9000.0 * np.sin(np.arange(1500) / 7.0) + random.normal(0.0, 40.0, 1500) + 300.0
    return np.stack([tone, np.where(np.arange(1500) < 700, 0.0, tone / 3)], 1).astype(np.int16)


@pytest.mark.parametrize("order", ["01", "10"])
def test_integers(tmp_path: Path, samples: np.ndarray, order: str) -> None:
    raw = samples.astype("<i2" if order == "01" else ">i2").tobytes()
    recording = read(tmp_path / "a.sph", sphere_bytes(raw, samples.shape, "pcm", order))
    assert recording.sample_rate == 20000 and not recording.companded
    assert np.array_equal(recording.samples, samples)


def test_companding(tmp_path: Path) -> None:
    """The ends and the steps next to zero of G.711."""
    codes = np.array([[0], [127], [126], [255], [254], [128], [239]], np.uint8)
    recording = read(tmp_path / "u.sph", sphere_bytes(codes.tobytes(), codes.shape, "ulaw", "1"))
    assert recording.companded
    assert recording.samples[:, 0].tolist() == [-32124, 0, -8, 0, 8, 32124, 132]
    codes = np.array([[0x2A], [0xAA], [0x55], [0xD5], [0x45]], np.uint8)
    recording = read(tmp_path / "a.sph", sphere_bytes(codes.tobytes(), codes.shape, "alaw", "1"))
    assert recording.samples[:, 0].tolist() == [-32256, 32256, -8, 8, -264]


@pytest.mark.parametrize("version", [1, 2])
def test_shortened(tmp_path: Path, samples: np.ndarray, version: int) -> None:
    """All predictors, blocks of other sizes, blocks whose low bits are zero, and of zeros."""
    samples[256:512, 0] &= ~7
    encoder = Encoder(kind=5, channels=2, version=version)
    encoder.blocks(samples[:1024], size=128)
    encoder.blocks(samples[1024:], size=68)
    content = sphere_bytes(encoder.close(), samples.shape, f"pcm,embedded-shorten-v{version}.00", "01")
    assert len(content) < samples.nbytes
    assert np.array_equal(read(tmp_path / "a.sph", content).samples, samples)


def test_shortened_mu_law() -> None:
    """Codes are numbered by size, the negative zero apart, so that -1 stands for 127 and 0 for 255."""
    values = np.concatenate([np.arange(-100, 100), [0, -1]])[:, None]
    encoder = Encoder(kind=MU_LAW, channels=1)
    encoder.blocks(values, size=len(values))
    codes = decode_shorten(encoder.close(), len(values))
    expected = np.where(values >= 0, 255 - values, 128 + values)
    assert codes.dtype == np.uint8 and np.array_equal(codes, expected)


def test_damaged(tmp_path: Path, samples: np.ndarray) -> None:
    encoder = Encoder(kind=5, channels=2)
    encoder.blocks(samples, size=300)
    whole = encoder.close()
    coding = "pcm,embedded-shorten-v2.00"
    for content, message in (
        (b"RIFF" + bytes(100), "expected NIST_1A"),
        (b"NIST_1A\n   10x4\n" + bytes(1100), "the length of a SPHERE header is '10x4'"),
        (sphere_bytes(b"", (3, 2), "pcm", "01").replace(b"end_head", b"end_hand"), "without end_head"),
        (sphere_bytes(b"", (3, 0), "pcm", "01"), "channel_count in the SPHERE header is 0"),
        (sphere_bytes(b"", (3, 2), "pcm", "0123"), "in the order 0123 cannot be read"),
        (sphere_bytes(b"", (3, 2), "pculaw", "1"), "coding pculaw cannot be read"),
        (sphere_bytes(b"", (3, 2), "pcm,embedded-wavpack1.0", "01"), "embedded-wavpack1.0 cannot be read"),
        (sphere_bytes(whole[:300], samples.shape, coding, "01"), "ends too early"),
        (sphere_bytes(b"ajkg\x09" + whole[5:], samples.shape, coding, "01"), "9 for its version"),
        (sphere_bytes(whole[1:], samples.shape, coding, "01"), "no compressed recording begins here"),
        (sphere_bytes(whole, (1500, 1), coding, "01"), "do not fit together"),
        (sphere_bytes(whole, samples.shape, "ulaw,embedded-shorten-v2.00", "1"), "do not fit together"),
    ):
        with pytest.raises(KaldiError, match=message):
            read(tmp_path / "a.sph", content)


def test_bits_turned_over(samples: np.ndarray) -> None:
    """Whatever the data are, there are samples or a message, and no more samples than the header says and a block."""
    encoder = Encoder(kind=5, channels=2)
    encoder.blocks(samples, size=300)
    whole = encoder.close()
    random = np.random.default_rng(1)
    for _ in range(300):
        damaged = bytearray(whole)
        for _ in range(3):
            damaged[random.integers(5, min(len(damaged), 60))] ^= 1 << random.integers(8)
        with contextlib.suppress(KaldiError):
            assert decode_shorten(bytes(damaged), samples.size).size <= samples.size + 64 * (1 << 16)


def test_fewer_samples(tmp_path: Path, samples: np.ndarray, capsys: pytest.CaptureFixture[str]) -> None:
    raw = struct.pack("<4h", 1, 2, 3, 4) + b"\0"
    recording = read(tmp_path / "a.sph", sphere_bytes(raw, (5, 2), "pcm", "01"))
    assert recording.samples.tolist() == [[1, 2], [3, 4]]
    assert "2 samples, not 5 as the SPHERE header says" in capsys.readouterr().err

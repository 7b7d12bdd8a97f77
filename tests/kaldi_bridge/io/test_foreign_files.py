"""Files of HTK and Sphinx that are not what they should be; good ones are in commands/featbin."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.htk import read_htk, write_htk
from kaldi_bridge.io.input_stream import InputStream
from kaldi_bridge.io.output_stream import Pieces
from kaldi_bridge.io.sphinx import read_sphinx

FEATS = np.arange(12, dtype=np.float32).reshape(3, 4)


def htk(frames: int = 3, frame_bytes: int = 16, kind: int = 6, data: bytes | None = None) -> InputStream:
    numbers = FEATS.astype(">f4").tobytes() if data is None else data
    return InputStream.from_bytes(struct.pack(">iihH", frames, 100000, frame_bytes, kind) + numbers, "x.htk")


def test_written_and_read() -> None:
    out = Pieces("x.htk")
    write_htk(out, FEATS, kind=9)
    np.testing.assert_array_equal(read_htk(InputStream.from_bytes(out.data())), FEATS)


@pytest.mark.parametrize(
    ("stream", "message"),
    [
        (InputStream.from_bytes(b"short", "x.htk"), "x.htk.*truncated"),
        (htk(data=b"few"), "x.htk.*truncated"),
        (htk(frames=1 << 30), "x.htk.*truncated"),
        (htk(frames=-1), "-1 frames of 16 bytes"),
        (htk(frame_bytes=-4), "3 frames of -4 bytes"),
        (htk(kind=0o2006), "compressed"),
        (htk(kind=0o40006), "vector quantization"),
        (htk(kind=0), "HTK file of kind 0: waveforms"),
    ],
)
def test_what_is_no_htk_file(stream: InputStream, message: str) -> None:
    with pytest.raises(KaldiError, match=message):
        read_htk(stream)


@pytest.mark.parametrize(
    ("feats", "period", "message"),
    [(np.zeros((1, 9000), np.float32), 1, "dimension 9000 are too wide"), (FEATS, 1 << 31, "do not fit an HTK header")],
)
def test_what_htk_has_no_place_for(feats: np.ndarray, period: int, message: str) -> None:
    with pytest.raises(KaldiError, match=message):
        write_htk(Pieces("x.htk"), feats, 9, period)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (struct.pack(">i", 25), "25 numbers are no whole frames of 13"),
        (struct.pack(">i", -13), "-13 numbers"),
        (struct.pack(">i", 26) + b"few", "truncated"),
        (b"", "truncated"),
    ],
)
def test_what_is_no_sphinx_file(data: bytes, message: str) -> None:
    with pytest.raises(KaldiError, match=message):
        read_sphinx(InputStream.from_bytes(data, "x.mfc"))

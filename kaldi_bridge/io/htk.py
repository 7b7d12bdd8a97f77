"""Features in HTK's format (matrix/kaldi-matrix.cc: ReadHtk, WriteHtk): a header and float32 numbers, big-endian."""

from __future__ import annotations

import struct

import numpy as np

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.input_stream import InputStream
from kaldi_bridge.io.output_stream import OutputStream

FRAME_PERIOD = 100_000  # 10 ms
USER = 9  # a kind of parameters that HTK does not know
_HEADER = struct.Struct(">iihH")  # frames, period, bytes of a frame, kind
_BASE_KIND, _COMPRESSED, _VECTOR_QUANTIZED = 0o77, 0o2000, 0o40000
_NOT_FLOATS = (0, 5, 10)  # waveforms, 16-bit reflection coefficients, discrete


def read_htk(stream: InputStream) -> np.ndarray:
    """Features of one file, float32 [frames, dim]. Raises KaldiError for compressed ones, or what is no features."""
    frames, _, frame_bytes, kind = _HEADER.unpack(stream.read(_HEADER.size))
    if kind & (_COMPRESSED | _VECTOR_QUANTIZED):
        raise KaldiError(f"{stream.name}: HTK features that are compressed or have vector quantization cannot be read")
    if kind & _BASE_KIND in _NOT_FLOATS:
        raise KaldiError(f"{stream.name}: HTK file of kind {kind & _BASE_KIND}: waveforms or discrete, not features")
    if frames < 0 or frame_bytes < 0:
        raise KaldiError(f"{stream.name}: an HTK header with {frames} frames of {frame_bytes} bytes")
    dim = frame_bytes // 4
    data = np.frombuffer(stream.read(4 * frames * dim), ">f4")
    return data.astype(np.float32).reshape(frames, dim)


def write_htk(stream: OutputStream, feats: np.ndarray, kind: int = USER, period: int = FRAME_PERIOD) -> None:
    """Writes features [frames, dim] as one file.

    Args:
        kind: HTK's code of what they are.
        period: of a frame, in 100 ns.

    Raises:
        KaldiError: the header cannot say this.
    """
    frames, dim = feats.shape if len(feats) else (0, 0)
    if 4 * dim >= 1 << 15:
        raise KaldiError(f"{stream.name}: features of dimension {dim} are too wide for HTK's format")
    if not (-(1 << 31) <= period < 1 << 31 and 0 <= kind < 1 << 16):
        raise KaldiError(f"{stream.name}: a period of {period} or the kind {kind} do not fit an HTK header")
    stream.write(_HEADER.pack(frames, period, 4 * dim, kind) + feats.astype(">f4").tobytes())

"""Features in CMU Sphinx's format: how many numbers, then float32 numbers.

Sphinx's own tools write big-endian files of 13 cepstra, which is what is read (util/kaldi-holder-inl.h:
SphinxMatrixHolder); copy-feats-to-sphinx writes little-endian ones (matrix/kaldi-matrix.cc: WriteSphinx).
"""

from __future__ import annotations

import struct

import numpy as np

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.input_stream import InputStream
from kaldi_bridge.io.output_stream import OutputStream

DIM = 13


def read_sphinx(stream: InputStream) -> np.ndarray:
    """float32 [frames, 13]. Raises KaldiError for another number of numbers."""
    (count,) = struct.unpack(">i", stream.read(4))
    if count < 0 or count % DIM:
        raise KaldiError(f"{stream.name}: {count} numbers are no whole frames of {DIM} Sphinx features")
    return np.frombuffer(stream.read(4 * count), ">f4").reshape(-1, DIM).astype(np.float32)


def write_sphinx(stream: OutputStream, feats: np.ndarray) -> None:
    """Features [frames, dim], little-endian. Raises KaldiError where there are too many."""
    if feats.size >= 1 << 31:
        raise KaldiError(f"{stream.name}: {feats.size} numbers are too many for Sphinx's format")
    stream.write(struct.pack("<i", feats.size) + feats.astype("<f4").tobytes())

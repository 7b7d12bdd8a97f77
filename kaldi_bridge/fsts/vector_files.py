"""The body of OpenFst's binary files of type vector, of FSTs and lattices alike (csrc/vector_fst.h)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.extension import _csrc

if TYPE_CHECKING:
    from kaldi_bridge.fsts.fst_header import FstHeader
    from kaldi_bridge.io.streams import InputStream


def read_vector_body(
    stream: InputStream, header: FstHeader
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """(offsets of the arcs, arcs, final weights, offsets of the strings, strings) as VectorReader has them.

    Arcs are uint32 words, final weights float32 numbers. Raises KaldiError for what is truncated or makes no sense.
    """
    reader = _csrc.VectorReader(header.arc_type, header.num_states)
    try:
        while not reader.done:
            stream.pos += reader.feed(stream.buffer, stream.pos, stream.end)
            if reader.done:
                break
            have = stream.end - stream.pos
            if header.num_states < 0 and have == 0 and reader.between_states and stream.at_end():
                break
            if not stream.holds(reader.wanted) or stream.fill(max(have + 1, reader.wanted)) < reader.wanted:
                raise KaldiError(f"{stream.where()}: truncated, or a count in the FST makes no sense")
    except ValueError as error:
        raise KaldiError(f"{stream.where()}: {error}") from None
    offsets, arcs, finals, string_offsets, strings = reader.result()
    return offsets, arcs, finals, string_offsets, strings

"""A matrix that is written to a table block by block, because the whole of it is too large for the memory."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from kaldi_bridge.io.basic_io import write_header
from kaldi_bridge.io.output_stream import OutputStream
from kaldi_bridge.tables.holders import FLOAT_MATRIX


@dataclass
class MatrixBlocks:
    """float32 [rows, columns] as blocks of consecutive rows, to be gone through once."""

    rows: int
    columns: int
    blocks: Iterator[np.ndarray]


class MatrixOrBlocksHolder:
    """Writes a matrix, or blocks of one, as a Kaldi matrix. (In text form the blocks are put together first.)"""

    read = FLOAT_MATRIX.read
    extract_range = FLOAT_MATRIX.extract_range

    def write(self, stream: OutputStream, binary: bool, value: np.ndarray | MatrixBlocks) -> None:
        if isinstance(value, MatrixBlocks) and binary:
            write_header(stream, True)
            stream.write(b"FM \4" + struct.pack("<ibi", value.rows, 4, value.columns))
            for block in value.blocks:
                stream.write(np.ascontiguousarray(block, "<f4"))
        else:
            whole = np.concatenate(list(value.blocks)) if isinstance(value, MatrixBlocks) else value
            FLOAT_MATRIX.write(stream, binary, whole)

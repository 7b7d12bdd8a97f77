"""Tables: objects by key, in archives and script files (util/kaldi-table.h).

with TableWriter("ark,scp:out.ark,out.scp", FLOAT_MATRIX) as writer:
    for key, feats in SequentialReader("scp:feats.scp", FLOAT_MATRIX):
        writer.write(key, feats)
"""

from __future__ import annotations

from kaldi_bridge.io.specifiers import parse_rspecifier, parse_wspecifier
from kaldi_bridge.tables.random_access import RandomAccessReader
from kaldi_bridge.tables.sequential import SequentialReader
from kaldi_bridge.tables.table_writer import TableWriter

__all__ = ["RandomAccessReader", "SequentialReader", "TableWriter", "is_rspecifier", "is_wspecifier"]


def is_rspecifier(text: str) -> bool:
    """Whether a command's argument names a table to read, rather than a file."""
    return parse_rspecifier(text) is not None


def is_wspecifier(text: str) -> bool:
    """Whether a command's argument names a table to write, rather than a file."""
    return parse_wspecifier(text) is not None

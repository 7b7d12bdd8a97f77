"""Writing an FST as one of OpenFst's types."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.fsts.fst import Fst
from kaldi_bridge.io.streams import open_output

if TYPE_CHECKING:
    from kaldi_bridge.io.streams import OutputStream

_WRITERS: dict[str, Callable[[OutputStream, Fst], None]] = {
    "vector": lambda stream, fst: fst.write(stream, "vector"),
    "const": lambda stream, fst: fst.write(stream, "const"),
    "compact_acceptor": lambda stream, fst: fst.write(stream, "compact_acceptor"),
}


def write_converted(name: str, fst: Fst, fst_type: str) -> None:
    """Writes a file of that type. Raises KaldiError for a type that is not written, or that cannot hold the FST."""
    if fst_type not in _WRITERS:
        raise KaldiError(f"no FST of type {fst_type} is written; possible are {', '.join(_WRITERS)}")
    with open_output(name) as stream:
        _WRITERS[fst_type](stream, fst)

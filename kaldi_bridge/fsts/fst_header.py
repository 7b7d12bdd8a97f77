"""The header of OpenFst's binary files (fst/fst.h, FstHeader)."""

from __future__ import annotations

import functools
import struct
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.extension import _csrc
from kaldi_bridge.io.text import decode, encode

if TYPE_CHECKING:
    from kaldi_bridge.io.streams import InputStream, OutputStream

MAGIC = struct.pack("<i", 2125659606)
SYMBOL_TABLE_MAGIC = struct.pack("<i", 2125658996)
HAS_INPUT_SYMBOLS, HAS_OUTPUT_SYMBOLS, IS_ALIGNED = 1, 2, 4
EXPANDED, MUTABLE = 1, 2
ALIGNMENT = 16
MAX_NAME = 256

_TAIL = struct.Struct("<iiQqqq")


@dataclass
class FstHeader:
    """``isymbols``, ``osymbols``: the symbol tables that follow the header, as they are in the file; empty for none."""

    fst_type: str
    arc_type: str
    version: int
    flags: int
    properties: int
    start: int
    num_states: int
    num_arcs: int
    isymbols: bytes = b""
    osymbols: bytes = b""

    @property
    def is_aligned(self) -> bool:
        """Whether the arrays of const and compact FSTs begin at multiples of ALIGNMENT from the header's start."""
        return bool(self.flags & IS_ALIGNED) or self.version == 1

    @classmethod
    def read(cls, stream: InputStream) -> FstHeader:
        """Raises KaldiError when the stream does not hold an FST."""
        if stream.peek(4) != MAGIC:
            raise KaldiError(f"{stream.where()}: not an FST: it does not start as OpenFst's files do")
        stream.skip(4)
        fst_type, arc_type = _read_name(stream), _read_name(stream)
        header = cls(fst_type, arc_type, *_TAIL.unpack(stream.read(_TAIL.size)))
        if header.flags & HAS_INPUT_SYMBOLS:
            header.isymbols = read_symbol_table(stream)
        if header.flags & HAS_OUTPUT_SYMBOLS:
            header.osymbols = read_symbol_table(stream)
        if header.num_states < -1 or header.num_arcs < -1 or not -1 <= header.start < max(header.num_states, 1 << 31):
            raise KaldiError(f"{stream.where()}: the FST's header makes no sense (truncated or corrupt file?)")
        return header

    def write(self, stream: OutputStream) -> None:
        names = _written_name(self.fst_type) + _written_name(self.arc_type)
        flags = self.flags & ~(HAS_INPUT_SYMBOLS | HAS_OUTPUT_SYMBOLS)
        flags |= bool(self.isymbols) * HAS_INPUT_SYMBOLS | bool(self.osymbols) * HAS_OUTPUT_SYMBOLS
        tail = (self.version, flags, self.properties, self.start, self.num_states, self.num_arcs)
        stream.write(MAGIC + names + _TAIL.pack(*tail) + self.isymbols + self.osymbols)

    def of_changed(self) -> FstHeader:
        """That of an FST made of this one: what it has of arcs and symbols, and nothing known of its properties."""
        return replace(self, fst_type="vector", version=2, flags=0, properties=EXPANDED | MUTABLE)


@functools.cache
def _written_name(name: str) -> bytes:
    return struct.pack("<i", len(name)) + encode(name)


def _read_string(stream: InputStream, limit: int) -> bytes:
    raw = stream.read(4)
    (size,) = struct.unpack("<i", raw)
    if not 0 <= size <= limit:
        raise KaldiError(f"{stream.where()}: the FST's header makes no sense (truncated or corrupt file?)")
    return raw + stream.read(size)


def _read_name(stream: InputStream) -> str:
    return decode(_read_string(stream, MAX_NAME)[4:])


def read_symbol_table(stream: InputStream) -> bytes:
    """A symbol table in OpenFst's binary form, as it is."""
    magic = stream.read(4)
    if magic != SYMBOL_TABLE_MAGIC:
        raise KaldiError(f"{stream.where()}: expected a symbol table inside the FST")
    parts = [magic, _read_string(stream, 1 << 20), stream.read(16)]
    size = struct.unpack("<q", parts[-1][8:])[0]
    if size < 0 or not stream.holds(12 * size):
        raise KaldiError(f"{stream.where()}: the symbol table inside the FST is truncated")
    while size:
        count, length = _csrc.symbol_entries(stream.buffer, stream.pos, stream.end, size)
        parts += [stream.read(length)] if count else [_read_string(stream, 1 << 20), stream.read(8)]
        size -= count or 1
    return b"".join(parts)

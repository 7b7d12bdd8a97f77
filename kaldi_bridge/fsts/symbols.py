"""Symbol tables as OpenFst has them: text files, and the binary form inside FSTs (lib/symbol-table.cc)."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import Any

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.extension import _csrc
from kaldi_bridge.fsts.fst import Fst
from kaldi_bridge.fsts.fst_header import SYMBOL_TABLE_MAGIC
from kaldi_bridge.io.streams import open_input, open_output
from kaldi_bridge.io.text import decode, encode

Symbols = Any
"""The C++ class of symbols by number and numbers by symbol.

``entries()`` are pairs of bytes and int; ``by_number()`` is a dictionary of the symbols that OpenFst finds.
"""


def read_symbols(name: str, allow_negative: bool = False) -> Symbols:
    """A text file's. Raises KaldiError that names the line that is no symbol and a number."""
    with open_input(name) as stream:
        text = stream.read_all()
    try:
        return _csrc.Symbols.from_text(text, allow_negative)
    except ValueError as error:
        raise KaldiError(f"SymbolTable::ReadText: {error}, file = {name}") from None


def write_symbols(name: str, symbols: Symbols) -> None:
    """As text."""
    with open_output(name) as stream:
        stream.write(b"".join(b"%s\t%d\n" % entry for entry in symbols.entries()))


def symbols_inside(data: bytes) -> Symbols:
    """Of the bytes of an FST's header."""
    at = len(SYMBOL_TABLE_MAGIC)
    at += 4 + struct.unpack_from("<i", data, at)[0] + 16
    return _csrc.Symbols.from_entries(data, at)


def symbols_for_inside(entries: Iterable[tuple[bytes, int]], name: str) -> bytes:
    """Bytes for an FST's header; ``name``: the file that they are of."""
    entries = list(entries)
    label = encode(name)
    available = max((number for _, number in entries), default=-1) + 1
    parts = [SYMBOL_TABLE_MAGIC, struct.pack("<i", len(label)), label, struct.pack("<qq", available, len(entries))]
    for symbol, number in entries:
        parts += [struct.pack("<i", len(symbol)), symbol, struct.pack("<q", number)]
    return b"".join(parts)


def labels_of(
    fst: Fst, isymbols: str, osymbols: str, numeric: bool, allow_negative: bool
) -> tuple[Symbols | None, Symbols | None]:
    """Symbols of input and output labels: of the files named, else those inside the FST; None for numbers."""
    inside = (fst.header.isymbols, fst.header.osymbols) if fst.header and not numeric else (b"", b"")

    def choose(name: str, data: bytes) -> Symbols | None:
        if name:
            return read_symbols(name, allow_negative)
        return symbols_inside(data) if data else None

    return choose(isymbols, inside[0]), choose(osymbols, inside[1])


def save_symbols(fst: Fst, isymbols: str, osymbols: str) -> None:
    """Writes those inside the FST to the files named, if any. Raises KaldiError where it has none."""
    inside = (fst.header.isymbols, fst.header.osymbols) if fst.header else (b"", b"")
    for name, data, side in zip((isymbols, osymbols), inside, ("input", "output"), strict=True):
        if not name:
            continue
        if not data:
            raise KaldiError(f"save_{side[0]}symbols requested but there are no {side} symbols")
        write_symbols(name, symbols_inside(data))


def with_symbols(fst: Fst, isymbols: bytes | None, osymbols: bytes | None) -> Fst:
    """With these inside it, as ``symbols_for_inside`` gives them; None leaves what is there."""
    changed = fst.changed()
    if changed.header is not None:
        changed.header.isymbols = changed.header.isymbols if isymbols is None else isymbols
        changed.header.osymbols = changed.header.osymbols if osymbols is None else osymbols
    return changed


def relabelling(old: Symbols | None, new: Symbols, unknown: bytes = b"") -> dict[int, int]:
    """The new number of each old one, by their symbols; symbols that are not among the new ones count as ``unknown``.

    Raises KaldiError where there are none to relabel from, or one is not among the new ones.
    """
    if old is None:
        raise KaldiError("Relabel: no symbol table to relabel from")
    numbers: dict[bytes, int] = dict(new.entries())
    pairs = {}
    for symbol, number in old.entries():
        known = symbol if symbol in numbers else unknown
        if known not in numbers:
            raise KaldiError(f"Relabel: the new symbols do not have {decode(symbol)}")
        pairs[number] = numbers[known]
    return pairs

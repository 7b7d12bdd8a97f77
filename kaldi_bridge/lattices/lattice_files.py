"""Lattices in files and tables: both kinds, binary (OpenFst's vector type) and text (lat/kaldi-lattice.cc)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.extension import _csrc
from kaldi_bridge.fsts.fst_header import MAGIC, FstHeader
from kaldi_bridge.fsts.vector_files import read_vector_body
from kaldi_bridge.io.text import shown, words
from kaldi_bridge.lattices.lattice import (
    COMPACT_ARC,
    LATTICE_ARC,
    AnyLattice,
    Arc,
    CompactArc,
    CompactLattice,
    Lattice,
    of_parts,
    to_compact,
    to_lattice,
)

if TYPE_CHECKING:
    from kaldi_bridge.io.streams import InputStream, OutputStream

MAX_STATES = 1 << 28


# Writing.


def write_lattice(stream: OutputStream, lattice: AnyLattice) -> None:
    """Binary, as OpenFst's vector type."""
    to_bytes = _csrc.lattice_file if isinstance(lattice, Lattice) else _csrc.compact_lattice_file
    stream.write(to_bytes(lattice.parts, lattice.properties))


def write_lattice_text(stream: OutputStream, lattice: AnyLattice, precision: int = 6) -> None:
    """The start state first; costs of zero are left out, others have so many digits."""
    to_text = _csrc.lattice_text if isinstance(lattice, Lattice) else _csrc.compact_lattice_text
    stream.write(to_text(lattice.parts, precision))


# Reading.


def read_lattice(stream: InputStream) -> AnyLattice:
    """Either kind, binary or text, as archives have them. Raises KaldiError."""
    if stream.peek(4) == MAGIC:
        return _read_binary(stream)
    if stream.peek(1) not in (b"\n", b"\r", b" ", b"\t"):
        raise KaldiError(f"{stream.where()}: expected a lattice")
    stream.readline()
    return _read_text(stream)


def _read_binary(stream: InputStream) -> AnyLattice:
    header = FstHeader.read(stream)
    kind = re.fullmatch(r"(compact)?lattice([48])(4?)", header.arc_type)
    if header.fst_type != "vector" or not kind or bool(kind[1]) != bool(kind[3]) or header.num_states < 0:
        raise KaldiError(f"{stream.name}: an FST of type {header.fst_type} {header.arc_type} is no lattice")
    if header.num_states > MAX_STATES or not stream.holds(header.num_states * 16):
        raise KaldiError(f"{stream.where()}: truncated, or the lattice's number of states makes no sense")
    offsets, words, finals, string_offsets, strings = read_vector_body(stream, header)
    finals = finals.reshape(-1, 2)
    lattice: AnyLattice
    if kind[1]:
        arcs = words.view(COMPACT_ARC)
        lattice = CompactLattice(header.start, offsets, arcs, finals, string_offsets, strings)
    else:
        lattice = Lattice(header.start, offsets, words.view(LATTICE_ARC), finals)
    lattice.properties = header.properties
    _check(lattice, stream.name)
    return lattice


def _read_text(stream: InputStream) -> AnyLattice:
    compact: bool | None = None
    lines, top, start = 0, -1, -1
    plain_arcs: dict[int, list[Arc]] = {}
    compact_arcs: dict[int, list[CompactArc]] = {}
    finals: dict[int, tuple[float, float, tuple[int, ...] | None]] = {}

    def bad(line: bytes) -> KaldiError:
        return KaldiError(f"{stream.where()}: bad line in a text lattice: {shown(line)}")

    while fields := words(line := stream.readline()):
        lines += 1
        weighted = "," in fields[-1]
        try:
            numbers = [int(w) for w in (fields[:-1] if weighted else fields)]
            cost = _read_cost(fields[-1]) if weighted else (0.0, 0.0, None)
        except ValueError:
            raise bad(line) from None
        if len(numbers) not in (1, 3, 4) or min(numbers) < 0 or max(numbers) >= 1 << 31:
            raise bad(line)
        if compact is None and (len(numbers) == 4 or (weighted and cost[2] is None)):
            compact = False
        elif compact is None and (len(numbers) == 3 or cost[2] is not None):
            compact = True
        start = numbers[0] if start < 0 else start
        top = max(top, *numbers[:2] if len(numbers) > 1 else numbers)
        graph, acoustic, ids = cost
        if weighted and (ids is not None) != compact:
            raise bad(line)
        if len(numbers) == 1:
            finals[numbers[0]] = cost
        elif (len(numbers) == 3) != compact:
            raise bad(line)
        elif compact:
            compact_arcs.setdefault(numbers[0], []).append((numbers[2], graph, acoustic, ids or (), numbers[1]))
        else:
            plain_arcs.setdefault(numbers[0], []).append((numbers[2], numbers[3], graph, acoustic, numbers[1]))
    if top > 1000 + 10 * lines:
        raise KaldiError(f"{stream.where()}: a text lattice of {lines} lines names a state {top}")
    states = range(top + 1)
    ends = [finals.get(s) for s in states]
    result: AnyLattice
    if compact:
        compact_ends = [None if end is None else (end[0], end[1], end[2] or ()) for end in ends]
        result = CompactLattice.from_lists(start, [compact_arcs.get(s, []) for s in states], compact_ends)
    else:
        plain_ends = [None if end is None else end[:2] for end in ends]
        result = Lattice.from_lists(start, [plain_arcs.get(s, []) for s in states], plain_ends)
    _check(result, stream.name)
    return result


def _read_cost(text: str) -> tuple[float, float, tuple[int, ...] | None]:
    parts = text.split(",")
    if len(parts) not in (2, 3):
        raise ValueError
    ids = None if len(parts) == 2 else tuple(int(i) for i in parts[2].split("_") if parts[2])
    if ids and not 0 <= min(ids) <= max(ids) < 1 << 31:
        raise ValueError
    return float(parts[0]), float(parts[1]), ids


def _check(lattice: AnyLattice, name: str) -> None:
    n = lattice.num_states
    if not -1 <= lattice.start < n or (n and lattice.start < 0):
        raise KaldiError(f"{name}: the lattice's start state {lattice.start} is not one of its {n} states")
    if not lattice.num_arcs:
        return
    targets, labels = lattice.arcs["nextstate"], lattice.arcs["ilabel" if isinstance(lattice, Lattice) else "label"]
    if targets.min() < 0 or targets.max() >= n or labels.min() < 0:
        raise KaldiError(f"{name}: the lattice has an arc to a state beyond its {n}, or a negative label")


L = TypeVar("L", Lattice, CompactLattice)


class LatticeHolder(Generic[L]):
    """Lattices in tables; reads either kind and gives the one it is for, as Kaldi's holders do."""

    form = "lattice"

    def __init__(self, convert: Callable[[AnyLattice], L]) -> None:
        self._convert: Callable[[AnyLattice], L] = convert

    def made(self, found: tuple[int, tuple[Any, ...]]) -> L:
        """Of what the form in C++ finds (csrc/lattice_module.cc)."""
        properties, parts = found
        lattice = of_parts(parts)
        lattice.properties = properties
        return self._convert(lattice)

    def read(self, stream: InputStream) -> L:
        return self._convert(read_lattice(stream))

    def write(self, stream: OutputStream, binary: bool, value: AnyLattice) -> None:
        if binary:
            write_lattice(stream, self._convert(value))
        else:
            stream.write(b"\n")
            write_lattice_text(stream, self._convert(value))
            stream.write(b"\n")

    def extract_range(self, value: AnyLattice, text: str) -> L:
        raise KaldiError(f"a lattice has no ranges: [{text}]")


LATTICE = LatticeHolder(to_lattice)
COMPACT_LATTICE = LatticeHolder(to_compact)

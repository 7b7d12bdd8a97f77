"""Lattices: what the search leaves behind (lat/kaldi-lattice.h).

A cost is a pair (graph cost, acoustic cost). A ``Lattice`` has a transition-id and a word on each arc; a
``CompactLattice`` is an acceptor of words whose arcs carry, with their costs, a string of transition-ids.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.fsts.fst_header import EXPANDED, MAGIC, MUTABLE, FstHeader
from kaldi_bridge.fsts.topological import depth_first, topological_order
from kaldi_bridge.io.basic_io import format_float
from kaldi_bridge.io.text import encode, shown, words

if TYPE_CHECKING:
    from kaldi_bridge.io.streams import InputStream, OutputStream

Arc = tuple[int, int, float, float, int]
"""ilabel (transition-id), olabel (word), graph cost, acoustic cost, next state."""
CompactArc = tuple[int, float, float, tuple[int, ...], int]
"""label (word), graph cost, acoustic cost, transition-ids, next state."""
Final = tuple[float, float]
CompactFinal = tuple[float, float, tuple[int, ...]]

INFINITY = float("inf")
MAX_STATES = 1 << 28
_STATIC = EXPANDED | MUTABLE
_COUNT = struct.Struct("<q")


class Lattice:
    """``arcs[s]`` and ``finals[s]`` (None: not final) of each state; ``start`` is -1 when there are no states."""

    ARC_TYPE = "lattice4"

    def __init__(self, start: int, arcs: list[list[Arc]], finals: list[Final | None]) -> None:
        self.start, self.arcs, self.finals = start, arcs, finals
        self.properties = _STATIC

    @property
    def num_states(self) -> int:
        return len(self.arcs)

    @property
    def num_arcs(self) -> int:
        return sum(map(len, self.arcs))

    def write(self, stream: OutputStream) -> None:
        """Binary, as OpenFst's vector type."""
        _header(self.ARC_TYPE, self.properties, self.start, self.num_states).write(stream)
        pack_final, pack_arc, count = struct.Struct("<ff").pack, struct.Struct("<iiffi").pack, _COUNT.pack
        parts = []
        for arcs, final in zip(self.arcs, self.finals, strict=True):
            parts += [pack_final(*(final or (INFINITY, INFINITY))), count(len(arcs))]
            parts += [pack_arc(*arc) for arc in arcs]
        stream.write(b"".join(parts))

    def write_text(self, stream: OutputStream) -> None:
        lines = []
        for s in _from_start(self.start, self.num_states):
            for ilabel, olabel, graph, acoustic, target in self.arcs[s]:
                cost = f"\t{_cost(graph, acoustic)}" if graph or acoustic else ""
                lines.append(f"{s}\t{target}\t{ilabel}\t{olabel}{cost}\n")
            final = self.finals[s]
            if final is not None:
                lines.append(f"{s}\t{_cost(*final)}\n" if any(final) else f"{s}\n")
        stream.write(encode("".join(lines)))


class CompactLattice:
    """``arcs[s]`` and ``finals[s]`` (None: not final) of each state; ``start`` is -1 when there are no states."""

    ARC_TYPE = "compactlattice44"

    def __init__(self, start: int, arcs: list[list[CompactArc]], finals: list[CompactFinal | None]) -> None:
        self.start, self.arcs, self.finals = start, arcs, finals
        self.properties = _STATIC

    @property
    def num_states(self) -> int:
        return len(self.arcs)

    @property
    def num_arcs(self) -> int:
        return sum(map(len, self.arcs))

    def write(self, stream: OutputStream) -> None:
        """Binary, as OpenFst's vector type."""
        _header(self.ARC_TYPE, self.properties, self.start, self.num_states).write(stream)
        weight, arc_head, state = struct.Struct("<ffi").pack, struct.Struct("<iiffi").pack, struct.Struct("<i").pack
        parts = []
        for arcs, final in zip(self.arcs, self.finals, strict=True):
            graph, acoustic, ids = final or (INFINITY, INFINITY, ())
            parts += [weight(graph, acoustic, len(ids)), struct.pack(f"<{len(ids)}i", *ids), _COUNT.pack(len(arcs))]
            for label, graph, acoustic, ids, target in arcs:
                parts += [
                    arc_head(label, label, graph, acoustic, len(ids)),
                    struct.pack(f"<{len(ids)}i", *ids),
                    state(target),
                ]
        stream.write(b"".join(parts))

    def write_text(self, stream: OutputStream) -> None:
        lines = []
        for s in _from_start(self.start, self.num_states):
            for label, graph, acoustic, ids, target in self.arcs[s]:
                cost = f"\t{_cost(graph, acoustic, ids)}" if graph or acoustic or ids else ""
                lines.append(f"{s}\t{target}\t{label}{cost}\n")
            final = self.finals[s]
            if final is not None:
                lines.append(f"{s}\t{_cost(*final)}\n" if any(final) else f"{s}\n")
        stream.write(encode("".join(lines)))


AnyLattice = Lattice | CompactLattice


def _from_start(start: int, count: int) -> list[int]:
    return [start, *(s for s in range(count) if s != start)] if start >= 0 else []


def _cost(graph: float, acoustic: float, ids: tuple[int, ...] | None = None) -> str:
    text = ",".join("Infinity" if c == INFINITY else format_float(c, 6) for c in (graph, acoustic))
    return text if ids is None else f"{text},{'_'.join(map(str, ids))}"


def _header(arc_type: str, properties: int, start: int, states: int) -> FstHeader:
    return FstHeader("vector", arc_type, 2, 0, properties, start, states, 0)


# From one kind to the other.


def to_lattice(lattice: AnyLattice) -> Lattice:
    """Each arc with several transition-ids becomes a chain of arcs (fstext/lattice-utils.h, ConvertLattice)."""
    if isinstance(lattice, Lattice):
        return lattice
    arcs: list[list[Arc]] = [[] for _ in range(lattice.num_states)]
    finals: list[Final | None] = [None] * lattice.num_states

    def chain(source: int, word: int, cost: Final, ids: tuple[int, ...], target: int | None) -> int:
        """Lays the ids out from ``source``; with no target the last one leads to a new state, which is returned."""
        for i, tid in enumerate(ids):
            last = target is not None and i + 1 == len(ids)
            following = target if last and target is not None else len(arcs)
            if not last:
                arcs.append([])
                finals.append(None)
            arcs[source].append((tid, word, *cost, following))
            source, word, cost = following, 0, (0.0, 0.0)
        if target is not None and not ids:
            arcs[source].append((0, word, *cost, target))
        return source

    for s in range(lattice.num_states):
        final = lattice.finals[s]
        if final is not None:
            graph, acoustic, ids = final
            end = chain(s, 0, (graph, acoustic), ids, None)
            finals[end] = (0.0, 0.0) if ids else (graph, acoustic)
        for label, graph, acoustic, ids, target in lattice.arcs[s]:
            chain(s, label, (graph, acoustic), ids, target)
    return Lattice(lattice.start, arcs, finals)


def to_compact(lattice: AnyLattice) -> CompactLattice:
    """Chains without words inside become single arcs (fstext/factor.h); nothing is determinized."""
    if isinstance(lattice, CompactLattice):
        return lattice
    n = lattice.num_states
    incoming = [0] * n
    for out in lattice.arcs:
        for arc in out:
            incoming[arc[4]] += 1
    inner = [
        s != lattice.start
        and lattice.finals[s] is None
        and incoming[s] == 1
        and len(lattice.arcs[s]) == 1
        and lattice.arcs[s][0][1] == 0
        for s in range(n)
    ]
    number: dict[int, int] = {}
    arcs: list[list[CompactArc]] = []
    finals: list[CompactFinal | None] = []

    def numbered(state: int) -> int:
        if state not in number:
            number[state] = len(arcs)
            arcs.append([])
            finals.append(None)
        return number[state]

    found, _, _ = depth_first(lattice.start, lattice.arcs)
    for s in found:
        if inner[s]:
            continue
        here = numbered(s)
        for ilabel, olabel, graph, acoustic, target in lattice.arcs[s]:
            ids = [ilabel] if ilabel else []
            while inner[target]:
                ilabel, _, more_graph, more_acoustic, target = lattice.arcs[target][0]
                ids += [ilabel] if ilabel else []
                graph, acoustic = graph + more_graph, acoustic + more_acoustic
            arcs[here].append((olabel, graph, acoustic, tuple(ids), numbered(target)))
        final = lattice.finals[s]
        finals[here] = None if final is None else (*final, ())
    return top_sorted(CompactLattice(number.get(lattice.start, -1), arcs, finals))


L = TypeVar("L", Lattice, CompactLattice)


def top_sorted(lattice: L) -> L:
    """The same with states in topological order, as OpenFst's TopSort numbers them; unchanged when it has a cycle."""
    order = topological_order(lattice.start, lattice.arcs)
    if order is None or order == list(range(len(order))):
        return lattice
    arcs: list[Any] = [[] for _ in order]
    finals: list[Any] = [None] * len(order)
    for s, number in enumerate(order):
        out: list[tuple[Any, ...]] = list(lattice.arcs[s])
        arcs[number] = [(*arc[:-1], order[arc[-1]]) for arc in out]  # type: ignore[has-type]
        finals[number] = lattice.finals[s]
    return type(lattice)(order[lattice.start], arcs, finals)


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
    if header.fst_type != "vector" or not kind or header.num_states < 0:
        raise KaldiError(f"{stream.name}: an FST of type {header.fst_type} {header.arc_type} is no lattice")
    compact, real = kind[1] is not None, "f" if kind[2] == "4" else "d"
    if header.num_states > MAX_STATES or not stream.holds(header.num_states * 16):
        raise KaldiError(f"{stream.where()}: truncated, or the lattice's number of states makes no sense")
    lattice = (_read_compact_body if compact else _read_body)(stream, header.num_states, real)
    lattice.start, lattice.properties = header.start, header.properties
    _check(lattice, stream.name)
    return lattice


def _arc_count(stream: InputStream, smallest: int) -> int:
    (count,) = _COUNT.unpack(stream.read(8))
    if count < 0 or not stream.holds(count * smallest):
        raise KaldiError(f"{stream.where()}: truncated, or the lattice's number of arcs makes no sense")
    return int(count)


def _read_body(stream: InputStream, states: int, real: str) -> Lattice:
    weight, arc = struct.Struct(f"<2{real}"), struct.Struct(f"<2i2{real}i")
    lattice = Lattice(-1, [], [])
    for _ in range(states):
        final = weight.unpack(stream.read(weight.size))
        count = _arc_count(stream, arc.size)
        lattice.finals.append(None if INFINITY in final else final)
        lattice.arcs.append(list(arc.iter_unpack(stream.read(count * arc.size))))
    return lattice


def _read_compact_body(stream: InputStream, states: int, real: str) -> CompactLattice:
    weight, head, state = struct.Struct(f"<2{real}i"), struct.Struct(f"<2i2{real}i"), struct.Struct("<i")

    def string(count: int) -> tuple[int, ...]:
        if count < 0 or not stream.holds(4 * count):
            raise KaldiError(f"{stream.where()}: truncated, or a string in the lattice has a length of {count}")
        return struct.unpack(f"<{count}i", stream.read(4 * count))

    lattice = CompactLattice(-1, [], [])
    for _ in range(states):
        graph, acoustic, count = weight.unpack(stream.read(weight.size))
        ids = string(count)
        lattice.finals.append(None if INFINITY in (graph, acoustic) else (graph, acoustic, ids))
        out: list[CompactArc] = []
        for _ in range(_arc_count(stream, head.size + 4)):
            label, _, graph, acoustic, count = head.unpack(stream.read(head.size))
            ids = string(count)
            out.append((label, graph, acoustic, ids, state.unpack(stream.read(4))[0]))
        lattice.arcs.append(out)
    return lattice


def _read_text(stream: InputStream) -> AnyLattice:
    plain, compact = Lattice(-1, [], []), CompactLattice(-1, [], [])
    kind: AnyLattice | None = None
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
        if len(numbers) not in (1, 3, 4) or min(numbers) < 0:
            raise bad(line)
        if kind is None and (len(numbers) == 4 or (weighted and cost[2] is None)):
            kind = plain
        elif kind is None and (len(numbers) == 3 or cost[2] is not None):
            kind = compact
        start = numbers[0] if start < 0 else start
        top = max(top, *numbers[:2] if len(numbers) > 1 else numbers)
        graph, acoustic, ids = cost
        if len(numbers) == 1:
            finals[numbers[0]] = cost
        elif (len(numbers) == 4) != (kind is plain) or (weighted and (ids is None) != (kind is plain)):
            raise bad(line)
        elif kind is plain:
            plain_arcs.setdefault(numbers[0], []).append((numbers[2], numbers[3], graph, acoustic, numbers[1]))
        else:
            compact_arcs.setdefault(numbers[0], []).append((numbers[2], graph, acoustic, ids or (), numbers[1]))
    if top > 1000 + 10 * lines:
        raise KaldiError(f"{stream.where()}: a text lattice of {lines} lines names a state {top}")
    result: AnyLattice = compact if kind is compact else plain
    result.start = start
    for s in range(top + 1):
        final = finals.get(s)
        if kind is compact:
            compact.arcs.append(compact_arcs.get(s, []))
            compact.finals.append(None if final is None else (final[0], final[1], final[2] or ()))
        else:
            plain.arcs.append(plain_arcs.get(s, []))
            plain.finals.append(None if final is None else final[:2])
    _check(result, stream.name)
    return result


def _read_cost(text: str) -> tuple[float, float, tuple[int, ...] | None]:
    parts = text.split(",")
    if len(parts) not in (2, 3):
        raise ValueError
    ids = None if len(parts) == 2 else tuple(int(i) for i in parts[2].split("_") if parts[2])
    return float(parts[0]), float(parts[1]), ids


def _check(lattice: AnyLattice, name: str) -> None:
    n = lattice.num_states
    if not -1 <= lattice.start < n or (n and lattice.start < 0):
        raise KaldiError(f"{name}: the lattice's start state {lattice.start} is not one of its {n} states")
    for out in lattice.arcs:
        for arc in out:
            if not 0 <= arc[4] < n or arc[0] < 0:
                raise KaldiError(f"{name}: the lattice has an arc to state {arc[4]} of {n}, or a negative label")


class LatticeHolder(Generic[L]):
    """Lattices in tables; reads either kind and gives the one it is for, as Kaldi's holders do."""

    def __init__(self, convert: Callable[[AnyLattice], L]) -> None:
        self._convert: Callable[[AnyLattice], L] = convert

    def read(self, stream: InputStream) -> L:
        return self._convert(read_lattice(stream))

    def write(self, stream: OutputStream, binary: bool, value: AnyLattice) -> None:
        if binary:
            self._convert(value).write(stream)
        else:
            stream.write(b"\n")
            self._convert(value).write_text(stream)
            stream.write(b"\n")

    def extract_range(self, value: AnyLattice, text: str) -> L:
        raise KaldiError(f"a lattice has no ranges: [{text}]")


LATTICE = LatticeHolder(to_lattice)
COMPACT_LATTICE = LatticeHolder(to_compact)

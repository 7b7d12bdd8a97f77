"""Phonetic decision trees: which pdfs a phone in context has (tree/context-dep.h, tree/event-map.h).

An event maps keys to values: keys 0 to N - 1 are the phones of the context window, PDF_CLASS the pdf class.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.extension import _csrc
from kaldi_bridge.hmm.topology import NO_PDF, Topology
from kaldi_bridge.hmm.transition_model import MAX_PDFS, TransitionModel
from kaldi_bridge.io import basic_io
from kaldi_bridge.io.streams import open_input

if TYPE_CHECKING:
    from kaldi_bridge.io.streams import InputStream, OutputStream

PDF_CLASS = -1
MAX_DEPTH = 400
MAX_TABLE = 10_000_000


@dataclass(frozen=True)
class Constant:
    """The same answer for every event."""

    answer: int


@dataclass(frozen=True)
class Table:
    """The child for the value of ``key``; None where there is none."""

    key: int
    children: tuple[EventMap | None, ...]


@dataclass(frozen=True)
class Split:
    """``yes`` where the value of ``key`` is in ``yes_set``, else ``no``."""

    key: int
    yes_set: frozenset[int]
    yes: EventMap
    no: EventMap


EventMap = Constant | Table | Split


def answers(node: EventMap | None, event: Mapping[int, int]) -> set[int]:
    """All answers that an event can have whose other keys may have any value (EventMap::MultiMap)."""
    found: set[int] = set()
    waiting = [node]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Constant):
            found.add(node.answer)
        elif isinstance(node, Table):
            if node.key not in event:
                waiting.extend(node.children)
            elif 0 <= event[node.key] < len(node.children):
                waiting.append(node.children[event[node.key]])
        elif isinstance(node, Split):
            if node.key not in event:
                waiting += [node.yes, node.no]
            else:
                waiting.append(node.yes if event[node.key] in node.yes_set else node.no)
    return found


def answer(node: EventMap | None, window: Sequence[int], pdf_class: int) -> int | None:
    """That of a whole phone window and a pdf class (EventMap::Map); None where there is none."""
    while node is not None:
        if isinstance(node, Split):
            value = pdf_class if node.key == PDF_CLASS else window[node.key]
            node = node.yes if value in node.yes_set else node.no
        elif isinstance(node, Constant):
            return node.answer
        else:
            value = pdf_class if node.key == PDF_CLASS else window[node.key]
            node = node.children[value] if 0 <= value < len(node.children) else None
    return None


def _read_map(stream: InputStream, binary: bool, depth: int = 0) -> EventMap | None:
    if depth > MAX_DEPTH:
        raise KaldiError(f"{stream.where()}: more than {MAX_DEPTH} parts of the tree are within each other")
    kind = basic_io.read_token(stream, binary)
    if kind == "NULL":
        return None
    if kind == "CE":
        answer = basic_io.read_int32(stream, binary)
        if not 0 <= answer < MAX_PDFS:
            raise KaldiError(f"{stream.where()}: the tree answers {answer}, which is no pdf")
        return Constant(answer)
    if kind == "TE":
        key = basic_io.read_int32(stream, binary)
        size = basic_io.read_uint32(stream, binary)
        if size > MAX_TABLE or not stream.holds(2 * size):
            raise KaldiError(f"{stream.where()}: truncated, or a table of {size} entries in the tree")
        basic_io.expect_token(stream, binary, "(")
        children = tuple(_read_map(stream, binary, depth + 1) for _ in range(size))
        basic_io.expect_token(stream, binary, ")")
        return Table(key, children)
    if kind == "SE":
        key = basic_io.read_int32(stream, binary)
        yes_set = frozenset(basic_io.read_int_vector(stream, binary))
        basic_io.expect_token(stream, binary, "{")
        yes, no = _read_map(stream, binary, depth + 1), _read_map(stream, binary, depth + 1)
        basic_io.expect_token(stream, binary, "}")
        if yes is None or no is None:
            raise KaldiError(f"{stream.where()}: a split in the tree has no answer on one side")
        return Split(key, yes_set, yes, no)
    raise KaldiError(f"{stream.where()}: expected part of a tree, got {kind}")


def _write_map(stream: OutputStream, binary: bool, node: EventMap | None) -> None:
    if node is None:
        basic_io.write_token(stream, binary, "NULL")
    elif isinstance(node, Constant):
        basic_io.write_token(stream, binary, "CE")
        basic_io.write_int32(stream, binary, node.answer)
    elif isinstance(node, Table):
        basic_io.write_token(stream, binary, "TE")
        basic_io.write_int32(stream, binary, node.key)
        basic_io.write_uint32(stream, binary, len(node.children))
        basic_io.write_token(stream, binary, "(")
        for child in node.children:
            _write_map(stream, binary, child)
        basic_io.write_token(stream, binary, ")")
        stream.write(b"" if binary else b"\n")
    else:
        basic_io.write_token(stream, binary, "SE")
        basic_io.write_int32(stream, binary, node.key)
        basic_io.write_int_vector(stream, binary, sorted(node.yes_set))
        basic_io.write_token(stream, binary, "{")
        _write_map(stream, binary, node.yes)
        _write_map(stream, binary, node.no)
        basic_io.write_token(stream, binary, "}")
        stream.write(b"" if binary else b"\n")


@dataclass(frozen=True)
class PackedMap:
    """An EventMap on arrays, for C++ (csrc/decision_tree.h).

    Attributes:
        nodes: int32 [nodes, 4]: what it is (0 answer, 1 split, 2 table), its answer or key, and what belongs to
            it of ``values``: where that begins, and how many. The root is the first one, children come after parents.
        values: int32 [all of them]: of a split the nodes for yes and no, and the set of yes; of a table its children.
    """

    nodes: np.ndarray
    values: np.ndarray

    @classmethod
    def of(cls, root: EventMap) -> PackedMap:
        nodes: list[tuple[int, int, int, int]] = []
        values: list[int] = []

        def add(node: EventMap | None) -> int:
            if node is None:
                return -1
            number, first = len(nodes), len(values)
            if isinstance(node, Constant):
                nodes.append((0, node.answer, first, 0))
                return number
            is_split = isinstance(node, Split)
            children = (node.yes, node.no) if isinstance(node, Split) else node.children
            values.extend([0] * len(children))
            values.extend(sorted(node.yes_set) if isinstance(node, Split) else ())
            nodes.append((1 if is_split else 2, node.key, first, len(values) - first))
            for place, child in enumerate(children, first):
                values[place] = add(child)
            return number

        add(root)
        return cls(np.array(nodes, np.int32), np.array(values, np.int32))

    def unpacked(self) -> EventMap:
        nodes, values = self.nodes.tolist(), self.values.tolist()
        made: list[EventMap | None] = [None] * (len(nodes) + 1)  # the last one for the number -1
        for number in range(len(nodes) - 1, -1, -1):
            kind, key, first, count = nodes[number]
            if kind == 0:
                made[number] = Constant(key)
                continue
            own = values[first : first + count]
            yes, no = (made[child] for child in own[:2]) if kind == 1 else (None, None)
            if yes is not None and no is not None:
                made[number] = Split(key, frozenset(own[2:]), yes, no)
            else:
                made[number] = Table(key, tuple(made[child] for child in own))
        root = made[0]
        assert root is not None
        return root


class ContextDependency:
    """A tree for windows of ``width`` phones, of which number ``central`` (from 0) is the one that is said."""

    def __init__(self, width: int, central: int, to_pdf: EventMap | PackedMap) -> None:
        if not (0 <= central < width <= 100):
            raise KaldiError(f"a tree cannot have phone {central} in the middle of a window of {width}")
        self.width, self.central, self._to_pdf = width, central, to_pdf

    @cached_property
    def to_pdf(self) -> EventMap:
        """The whole tree."""
        return self._to_pdf.unpacked() if isinstance(self._to_pdf, PackedMap) else self._to_pdf

    @cached_property
    def packed(self) -> PackedMap:
        """The same on arrays."""
        return self._to_pdf if isinstance(self._to_pdf, PackedMap) else PackedMap.of(self._to_pdf)

    @property
    def num_pdfs(self) -> int:
        """One more than the largest pdf that the tree answers."""
        return max(answers(self.to_pdf, {}), default=-1) + 1

    @classmethod
    def read(cls, stream: InputStream, binary: bool) -> ContextDependency:
        """Raises KaldiError where the file is not a tree."""
        basic_io.expect_token(stream, binary, "ContextDependency")
        width, central = basic_io.read_int32(stream, binary), basic_io.read_int32(stream, binary)
        token = basic_io.read_token(stream, binary)
        if token == "ToLength":  # of older trees, not needed
            _read_map(stream, binary)
            token = basic_io.read_token(stream, binary)
        to_pdf: EventMap | PackedMap | None = None
        if token == "ToPdf":
            packed = stream.parsed(_csrc.parse_tree, read_on=True) if binary else None
            to_pdf = PackedMap(*packed) if packed is not None and len(packed[0]) else _read_map(stream, binary)
        if to_pdf is None:
            raise KaldiError(f"{stream.where()}: expected ToPdf and a tree, got {token}")
        basic_io.expect_token(stream, binary, "EndContextDependency")
        return cls(width, central, to_pdf)

    def write(self, stream: OutputStream, binary: bool) -> None:
        basic_io.write_token(stream, binary, "ContextDependency")
        basic_io.write_int32(stream, binary, self.width)
        basic_io.write_int32(stream, binary, self.central)
        basic_io.write_token(stream, binary, "ToPdf")
        _write_map(stream, binary, self.to_pdf)
        basic_io.write_token(stream, binary, "EndContextDependency")

    def pdf_pairs(self, phones: Iterable[int], phone: int, forward: int, self_loop: int) -> set[tuple[int, int]]:
        """The (forward pdf, self-loop pdf) pairs that a phone's state of these pdf classes has in any context."""
        return self._pairs(sorted(phones), {self.central: phone}, forward, self_loop)

    def _pairs(self, phones: list[int], window: dict[int, int], forward: int, self_loop: int) -> set[tuple[int, int]]:
        forward_pdfs = answers(self.to_pdf, {**window, PDF_CLASS: forward})
        loop_pdfs = answers(self.to_pdf, {**window, PDF_CLASS: self_loop})
        if len(forward_pdfs) == 1 or len(loop_pdfs) == 1:
            return {(f, s) for f in forward_pdfs for s in loop_pdfs}
        # Which go together depends on a phone not yet in the window; 0 stands for none, at the ends of utterances.
        free = [i for i in range(self.width) if i not in window]
        if not free:
            return set()
        position = min(free, key=lambda i: (abs(self.central - i), i))
        found: set[tuple[int, int]] = set()
        for neighbour in [0, *phones]:
            found |= self._pairs(phones, {**window, position: neighbour}, forward, self_loop)
        return found


def make_transition_model(tree: ContextDependency, topology: Topology) -> TransitionModel:
    """The transition model of a tree and a topology, with the topology's probabilities (hmm/transition-model.cc).

    Raises KaldiError when the tree has no pdf for one of the topology's states.
    """
    tuples: set[tuple[int, int, int, int]] = set()
    for phone in topology.phones:
        for number, state in enumerate(topology.states(phone)):
            if state.forward_pdf_class == NO_PDF:
                continue
            forward, self_loop = state.forward_pdf_class, state.self_loop_pdf_class
            if topology.is_hmm:
                pdfs = answers(tree.to_pdf, {tree.central: phone, PDF_CLASS: forward})
                pairs = {(pdf, pdf) for pdf in pdfs}
            else:
                pairs = tree.pdf_pairs(topology.phones, phone, forward, self_loop)
            if not pairs:
                raise KaldiError(f"the tree has no pdf for state {number} of phone {phone}: made for another topology?")
            tuples |= {(phone, number, f, s) for f, s in pairs}
    return TransitionModel(topology, np.array(sorted(tuples), dtype=np.int32))


def read_tree(rxfilename: str) -> ContextDependency:
    """A phonetic decision tree."""
    with open_input(rxfilename) as stream:
        return ContextDependency.read(stream, basic_io.read_header(stream))

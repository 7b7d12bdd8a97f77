"""Lattices: what the search leaves behind (lat/kaldi-lattice.h), on arrays.

A cost is a pair (graph cost, acoustic cost). A ``Lattice`` has a transition-id and a word on each arc; a
``CompactLattice`` is an acceptor of words whose arcs carry, with their costs, a string of transition-ids. The arcs of
all states stand one after the other, so that operations work on whole arrays, or in C++ (csrc/flat_lattice.h).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.extension import _csrc
from kaldi_bridge.fsts.fst_header import EXPANDED, MUTABLE

LATTICE_ARC = np.dtype(
    [("ilabel", "<i4"), ("olabel", "<i4"), ("graph", "<f4"), ("acoustic", "<f4"), ("nextstate", "<i4")]
)
COMPACT_ARC = np.dtype([("label", "<i4"), ("graph", "<f4"), ("acoustic", "<f4"), ("nextstate", "<i4")])

Arc = tuple[int, int, float, float, int]
"""ilabel (transition-id), olabel (word), graph cost, acoustic cost, next state."""
CompactArc = tuple[int, float, float, tuple[int, ...], int]
"""label (word), graph cost, acoustic cost, transition-ids, next state."""
Final = tuple[float, float]
CompactFinal = tuple[float, float, tuple[int, ...]]

NOT_FINAL = np.float32(np.inf)
_PROPERTIES = EXPANDED | MUTABLE
_PLAIN_PARTS = 4  # of what compact lattices have, too


class _States:
    """What both kinds have.

    Attributes:
        start: the start state; -1 when there are no states.
        offsets: int64 [states + 1]; the arcs of state s are ``arcs[offsets[s]:offsets[s + 1]]``.
        arcs: structured array [arcs], with fields ``graph``, ``acoustic`` and ``nextstate`` among them.
        finals: float32 [states, 2], (graph, acoustic) final costs; infinite: not final.
        properties: of the file that it was read from, as OpenFst keeps them.
    """

    def __init__(self, start: int, offsets: np.ndarray, arcs: np.ndarray, finals: np.ndarray) -> None:
        self.start, self.offsets, self.arcs, self.finals = start, offsets, arcs, finals
        self.properties = _PROPERTIES

    @property
    def num_states(self) -> int:
        return len(self.finals)

    @property
    def num_arcs(self) -> int:
        return len(self.arcs)

    @property
    def sources(self) -> np.ndarray:
        """int64 [arcs], the state that each arc leaves."""
        return np.repeat(np.arange(self.num_states), np.diff(self.offsets))

    @property
    def is_final(self) -> np.ndarray:
        """bool [states]."""
        return np.isfinite(self.finals).all(axis=1)

    @property
    def arc_costs(self) -> np.ndarray:
        """float64 [arcs], graph plus acoustic cost."""
        return self.arcs["graph"].astype(np.float64) + self.arcs["acoustic"]

    @property
    def final_costs(self) -> np.ndarray:
        """float64 [states], graph plus acoustic cost; inf: not final."""
        return np.where(self.is_final, self.finals.sum(axis=1, dtype=np.float64), np.inf)

    @property
    def graph(self) -> Any:
        """Its states and arcs without labels and costs, for searches in C++ (csrc/arc_lists.h)."""
        return _csrc.ArcLists(self.start, self.offsets, self.arcs["nextstate"])

    @property
    def parts(self) -> tuple[Any, ...]:
        """As C++ takes and gives them."""
        return self.start, self.offsets, self.arcs, self.finals


class Lattice(_States):
    """``arcs`` of LATTICE_ARC: ``ilabel`` (transition-id), ``olabel`` (word)."""

    @classmethod
    def from_lists(cls, start: int, arcs: Sequence[Sequence[Arc]], finals: Sequence[Final | None]) -> Lattice:
        """From the arcs and the final cost (None: not final) of each state."""
        table = np.array([arc for out in arcs for arc in out], dtype=LATTICE_ARC)
        return cls(start, _offsets([len(out) for out in arcs]), table, _finals(finals))

    def to_lists(self) -> tuple[list[list[Arc]], list[Final | None]]:
        """The opposite of ``from_lists``, for algorithms that go from arc to arc."""
        arcs, ends = self.arcs.tolist(), self.offsets.tolist()
        finals = [(g, a) if final else None for (g, a), final in zip(self.finals.tolist(), self.is_final, strict=True)]
        return [arcs[begin:end] for begin, end in zip(ends, ends[1:], strict=False)], finals


class CompactLattice(_States):
    """``arcs`` of COMPACT_ARC: ``label`` (word).

    Attributes:
        strings, string_offsets: int32 and int64 [arcs + states + 1]; the transition-ids of arc i are
            ``strings[string_offsets[i]:string_offsets[i + 1]]``, those of the final cost of state s the string
            number ``num_arcs + s``.
    """

    def __init__(
        self,
        start: int,
        offsets: np.ndarray,
        arcs: np.ndarray,
        finals: np.ndarray,
        string_offsets: np.ndarray,
        strings: np.ndarray,
    ) -> None:
        super().__init__(start, offsets, arcs, finals)
        self.string_offsets, self.strings = string_offsets, strings

    @classmethod
    def from_lists(
        cls, start: int, arcs: Sequence[Sequence[CompactArc]], finals: Sequence[CompactFinal | None]
    ) -> CompactLattice:
        """From the arcs and the final cost (None: not final) of each state."""
        flat = [arc for out in arcs for arc in out]
        strings = [arc[3] for arc in flat] + [() if final is None else final[2] for final in finals]
        return cls(
            start,
            _offsets([len(out) for out in arcs]),
            np.array([(*arc[:3], arc[4]) for arc in flat], dtype=COMPACT_ARC),
            _finals([None if final is None else final[:2] for final in finals]),
            _offsets([len(string) for string in strings]),
            np.array([i for string in strings for i in string], dtype=np.int32),
        )

    def to_lists(self) -> tuple[list[list[CompactArc]], list[CompactFinal | None]]:
        """The opposite of ``from_lists``, for algorithms that go from arc to arc."""
        ids, places = self.strings.tolist(), self.string_offsets.tolist()
        strings = [tuple(ids[begin:end]) for begin, end in zip(places, places[1:], strict=False)]
        arcs = [
            (label, graph, acoustic, string, target)
            for (label, graph, acoustic, target), string in zip(self.arcs.tolist(), strings, strict=False)
        ]
        ends = self.offsets.tolist()
        finals = [
            (g, a, string) if final else None
            for (g, a), final, string in zip(self.finals.tolist(), self.is_final, strings[len(arcs) :], strict=True)
        ]
        return [arcs[begin:end] for begin, end in zip(ends, ends[1:], strict=False)], finals

    @property
    def string_lengths(self) -> np.ndarray:
        """int64 [arcs + states], the number of transition-ids of each arc and final cost."""
        return np.diff(self.string_offsets)

    @property
    def parts(self) -> tuple[Any, ...]:
        """The arrays that it is made of, in the order of its arguments."""
        return *super().parts, self.string_offsets, self.strings


AnyLattice = Lattice | CompactLattice
L = TypeVar("L", Lattice, CompactLattice)


def of_parts(parts: tuple[Any, ...]) -> AnyLattice:
    """The opposite of ``parts``."""
    return Lattice(*parts) if len(parts) == _PLAIN_PARTS else CompactLattice(*parts)


def _offsets(lengths: Sequence[int] | np.ndarray) -> np.ndarray:
    return np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]).astype(np.int64)


def _finals(finals: Sequence[Final | None]) -> np.ndarray:
    costs = [(NOT_FINAL, NOT_FINAL) if final is None else final for final in finals]
    return np.array(costs, dtype=np.float32).reshape(-1, 2)


def to_lattice(lattice: AnyLattice) -> Lattice:
    """Each arc with several transition-ids becomes a chain of arcs (fstext/lattice-utils.h, ConvertLattice)."""
    return lattice if isinstance(lattice, Lattice) else Lattice(*_csrc.to_lattice(lattice.parts))


def to_compact(lattice: AnyLattice) -> CompactLattice:
    """Chains without words inside become single arcs (fstext/factor.h); nothing is determinized."""
    if isinstance(lattice, CompactLattice):
        return lattice
    return top_sorted(CompactLattice(*_csrc.to_compact(lattice.parts)))


def is_cyclic(lattice: AnyLattice) -> bool:
    """Whether a path comes back to a state."""
    return lattice.graph.topological_order() is None


def top_sorted(lattice: L) -> L:
    """The same with states in topological order, as OpenFst's TopSort numbers them; unchanged when it has a cycle."""
    order = lattice.graph.topological_order()
    return lattice if order is None else _in_order(lattice, order)


def acyclic_top_sorted(lattice: L) -> L:
    """The same. Raises KaldiError for a cycle."""
    order = lattice.graph.topological_order()
    if order is None:
        raise KaldiError("the lattice has a cycle")
    return _in_order(lattice, order)


def _in_order(lattice: L, order: np.ndarray) -> L:
    return lattice if (order == np.arange(len(order))).all() else renumbered(lattice, order)


def sorted_if_needed(lattice: L) -> L:
    """With arcs to higher-numbered states only; unchanged where they are already. Raises KaldiError for a cycle."""
    if (lattice.arcs["nextstate"] > lattice.sources).all():
        return lattice
    return acyclic_top_sorted(lattice)


def num_frames(lattice: CompactLattice) -> int:
    """Transition-ids on a path to the end, which all paths have as many of; from each state there must be one."""
    count, state = 0, lattice.start
    while state >= 0:
        arc, last = lattice.offsets[state : state + 2]
        number = arc if arc < last else lattice.num_arcs + state
        count += int(lattice.string_offsets[number + 1] - lattice.string_offsets[number])
        state = int(lattice.arcs["nextstate"][arc]) if arc < last else -1
    return count


def connected(lattice: L) -> L:
    """Drops states that cannot be reached or from which no final state can be."""
    useful = lattice.graph.useful_states(lattice.final_costs).astype(bool)
    if useful.all():
        return lattice
    return renumbered(lattice, np.where(useful, np.cumsum(useful) - 1, -1))


def renumbered(lattice: L, numbers: np.ndarray) -> L:
    """With the state s as number ``numbers[s]``; states of number -1 go, with all arcs to them."""
    targets, sources = numbers[lattice.arcs["nextstate"]], numbers[lattice.sources]
    kept = np.flatnonzero((sources >= 0) & (targets >= 0))
    arcs = kept[np.argsort(sources[kept], kind="stable")]
    states = np.argsort(numbers, kind="stable")[np.count_nonzero(numbers < 0) :]
    start = int(numbers[lattice.start]) if lattice.start >= 0 else -1
    offsets = _offsets(np.bincount(sources[arcs], minlength=len(states)))
    made = selected(lattice, start, offsets, arcs, np.where(lattice.is_final[states], states, -1))
    made.arcs["nextstate"] = targets[arcs]
    return made


def filtered(lattice: L, arcs_kept: np.ndarray, finals_kept: np.ndarray) -> L:
    """Only those arcs (bool [arcs]) and final costs (bool [states]); all states stay."""
    arcs = np.flatnonzero(arcs_kept)
    offsets = _offsets(np.bincount(lattice.sources[arcs], minlength=lattice.num_states))
    ends = np.where(finals_kept & lattice.is_final, np.arange(lattice.num_states), -1)
    return selected(lattice, lattice.start, offsets, arcs, ends)


def selected(lattice: L, start: int, offsets: np.ndarray, arcs: np.ndarray, ends: np.ndarray) -> L:
    """A lattice of given arcs of another one.

    Args:
        offsets: int64 [states + 1] of the new lattice.
        arcs: the numbers of its arcs in ``lattice``, whose next states are still those of ``lattice``.
        ends: int [states], the state in ``lattice`` whose final cost each of its states has; -1: none.
    """
    finals = lattice.finals[ends]
    finals[ends < 0] = NOT_FINAL
    if isinstance(lattice, Lattice):
        return Lattice(start, offsets, lattice.arcs[arcs], finals)
    strings = np.concatenate([arcs, lattice.num_arcs + ends])
    lengths = lattice.string_lengths[strings]
    lengths[len(arcs) :][ends < 0] = 0
    places = _offsets(lengths)
    ids = np.repeat(lattice.string_offsets[strings] - places[:-1], lengths) + np.arange(places[-1])
    return CompactLattice(start, offsets, lattice.arcs[arcs], finals, places, lattice.strings[ids])


def without_alignments(lattice: CompactLattice) -> CompactLattice:
    """The same words and costs without transition-ids."""
    return CompactLattice(
        lattice.start,
        lattice.offsets,
        lattice.arcs,
        lattice.finals,
        np.zeros_like(lattice.string_offsets),
        np.zeros(0, np.int32),
    )


def projected(lattice: Lattice, on_words: bool) -> Lattice:
    """With the words, or the transition-ids, on both sides."""
    arcs = lattice.arcs.copy()
    arcs["ilabel" if on_words else "olabel"] = arcs["olabel" if on_words else "ilabel"]
    return Lattice(lattice.start, lattice.offsets, arcs, lattice.finals)


def reversed_lattice(lattice: Lattice) -> Lattice:
    """All paths from their ends to the start (fst/reverse.h): a new start state 0 leads to what were the ends."""
    return Lattice(*_csrc.lattice_reversed(lattice.parts))

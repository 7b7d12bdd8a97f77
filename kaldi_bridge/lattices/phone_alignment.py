"""Lattices whose arcs are phones (lat/phone-align-lattice.cc).

Along each path transition-ids are collected until they make up a whole phone, which then becomes an arc. A state of the
result is a state of the lattice together with what has been collected so far: transition-ids, words and costs.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.hmm.transition_model import TransitionModel
from kaldi_bridge.lattices.lattice import CompactArc, CompactFinal, CompactLattice, connected, is_cyclic


class _Place(NamedTuple):
    """Where a path stands: a state of the lattice (one more than there are: the end), and what is collected."""

    state: int
    ids: tuple[int, ...] = ()
    words: tuple[int, ...] = ()
    graph: float = 0.0
    acoustic: float = 0.0


class PhoneAligner:
    """Aligns lattices; ``warned`` tells whether the last one did not consist of whole phones."""

    def __init__(self, model: TransitionModel, reorder: bool = True, replace_output_symbols: bool = False) -> None:
        """``reorder``: a phone's last self-loops come after the transition that leaves it, as in Kaldi's graphs."""
        self._model = model
        self._phone, self._final = model.id_to_phone.tolist(), model.is_final.tolist()
        self._loop = model.is_self_loop.tolist()
        self._reorder, self._replace = reorder, replace_output_symbols
        self.warned = False

    def align(self, lattice: CompactLattice) -> CompactLattice:
        """With arcs without labels that carry costs: see ``without_epsilons``. Labels are words, or phones.

        Raises KaldiError when the lattice has a cycle, or transition-ids that the model has not.
        """
        if is_cyclic(lattice):
            raise KaldiError("the lattice has a cycle")
        self._model.checked(lattice.strings)
        self.warned = False
        end = lattice.num_states
        lattice_arcs, lattice_finals = lattice.to_lists()
        ways = [  # the arcs of each state, with its final costs as an arc to the end
            out if final is None else [*out, (0, *final, end)]
            for out, final in zip(lattice_arcs, lattice_finals, strict=True)
        ] + [[]]
        numbers = {_Place(lattice.start): 0}
        arcs: list[list[CompactArc]] = [[]]
        finals: list[CompactFinal | None] = [None]
        queue = [_Place(lattice.start)] if lattice.start >= 0 else []

        def number(place: _Place) -> int:
            if place not in numbers:
                numbers[place] = len(arcs)
                arcs.append([])
                finals.append(None)
                queue.append(place)
            return numbers[place]

        while queue:
            place = queue.pop()
            here = numbers[place]
            made = self._phone_arc(place) or self._word_arc(place)
            if made is None and place.state == end:
                if place.ids or place.words:
                    made = self._last_arc(place)
                else:
                    finals[here] = (place.graph, place.acoustic, ())
            if made is not None:
                label, ids, rest = made
                arcs[here].append((label, place.graph, place.acoustic, ids, number(rest)))
                continue
            for word, graph, acoustic, ids, target in ways[place.state]:
                words = (*place.words, word) if word and not self._replace else place.words
                target_place = _Place(target, place.ids + ids, words, graph, acoustic)
                arcs[here].append((0, place.graph, place.acoustic, (), number(target_place)))
        if lattice.start < 0:
            return lattice
        return CompactLattice.from_lists(0, arcs, finals)

    def _label(self, place: _Place) -> tuple[int, tuple[int, ...]]:
        """What the next arc is called, and the words that are left for those after it."""
        label = place.words[0] if place.words else 0
        if self._replace and place.ids:
            label = self._phone[place.ids[0]]
        return label, place.words[1:]

    def _phone_arc(self, place: _Place) -> tuple[int, tuple[int, ...], _Place] | None:
        """A phone that is known to be over: another transition-id follows it."""
        ids = place.ids
        length = 0
        while length < len(ids) and not self._final[ids[length]]:
            length += 1
        length += 1
        if length >= len(ids):
            return None
        if any(self._phone[i] != self._phone[ids[0]] for i in ids[:length]):
            self._warn("the phone changes before its final transition (a wrong model, or --reorder is wrong?)")
        while self._reorder and length < len(ids) and self._loop[ids[length]]:
            length += 1
        if length == len(ids):
            return None
        label, words = self._label(place)
        return label, ids[:length], _Place(place.state, ids[length:], words)

    def _word_arc(self, place: _Place) -> tuple[int, tuple[int, ...], _Place] | None:
        """A word without a phone, where several wait."""
        if len(place.words) < 2:
            return None
        return place.words[0], (), _Place(place.state, place.ids, place.words[1:])

    def _last_arc(self, place: _Place) -> tuple[int, tuple[int, ...], _Place]:
        """What is left at the end of the lattice: the last phone, as a rule."""
        ids = place.ids
        if ids and (any(self._phone[i] != self._phone[ids[0]] for i in ids) or sum(self._final[i] for i in ids) != 1):
            self._warn("the last phone of the lattice is not whole (its last state was not final?)")
        label, words = self._label(place)
        return label, ids, _Place(place.state, (), words)

    def _warn(self, problem: str) -> None:
        if not self.warned:
            log.warning(f"Problem phone-aligning lattice: {problem}")
        self.warned = True


def without_epsilons(lattice: CompactLattice) -> CompactLattice:
    """Without arcs that have no label: their costs and transition-ids go to what follows; of equal arcs the best stays.

    The lattice must have no cycle.
    """
    order = lattice.graph.topological_order()
    lattice_arcs, finals = lattice.to_lists()
    arcs: list[list[CompactArc]] = [[] for _ in lattice_arcs]
    for state in np.argsort(-order).tolist():
        best: dict[tuple[int, int], CompactArc] = {}
        for label, graph, acoustic, ids, target in lattice_arcs[state]:
            ways = [(label, graph, acoustic, ids, target)]
            if label == 0:
                ways = [(w, graph + g, acoustic + a, ids + more, t) for w, g, a, more, t in arcs[target]]
                final = finals[target]
                if final is not None:
                    finals[state] = _better(finals[state], (graph + final[0], acoustic + final[1], ids + final[2]))
            for way in ways:
                before = best.get((way[0], way[-1]))
                if before is None or way[1] + way[2] < before[1] + before[2]:
                    best[way[0], way[-1]] = way
        arcs[state] = list(best.values())
    return connected(CompactLattice.from_lists(lattice.start, arcs, finals))


def _better(one: CompactFinal | None, other: CompactFinal) -> CompactFinal:
    return other if one is None or other[0] + other[1] < one[0] + one[1] else one

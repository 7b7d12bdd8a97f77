"""Determinization in the log semiring, of acceptors and transducers (fst/determinize.h, factor-weight.h, arc-map.h).

A state of the result is a set of states with what each still owes: strings of output labels with a cost each, several
where ways of the same input have met whose outputs differ. An arc says the label with which all that is owed begins, if
there is one, and costs what all its ways cost together. What is owed at an end is said by arcs that lead on from there.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import numpy as np

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.fsts.fst import Fst
from kaldi_bridge.fsts.label_pushing import Labels
from kaldi_bridge.fsts.log_arcs import Arcs, log_add, with_arcs

Owed = tuple[tuple[Labels, float], ...]
"""Strings, shorter ones first, and their costs."""
Subset = tuple[tuple[int, Owed], ...]
"""States, ascending, and what they owe."""
_NOTHING: Owed = (((), 0.0),)
_END = -1  # in the place of a state, where nothing but what is owed follows
_LAST: tuple[int, Owed] = (_END, ())


def determinized(
    fst: Fst, delta: float = 1.0 / 1024.0, functional: bool = True, end_label: int = 0, count_up: bool = False
) -> Fst:
    """Deterministic on the input side, on which epsilons are labels as others are.

    Args:
        delta: costs that are owed are rounded to multiples of it.
        functional: each input of a transducer has one output; else it may have several, each with an arc at its end.
        end_label: on the input side of arcs that say what is owed at an end.
        count_up: arcs of one end have this label, the next one, and so on.

    Raises:
        KaldiError: the transducer is not functional.
    """
    if fst.start < 0:
        return fst.changed()
    subsets = _Subsets(fst, delta, functional)
    numbers: dict[tuple[int, Owed], int] = {}
    waiting: list[tuple[int, Owed]] = []

    def number(state: int, owed: Owed = _NOTHING) -> int:
        if (state, owed) not in numbers:
            numbers[state, owed] = len(numbers)
            waiting.append((state, owed))
        return numbers[state, owed]

    number(0)
    arcs: Arcs = []
    finals: list[float] = []
    for state, owed in waiting:  # grows on the way
        out = [] if state == _END else [(*arc[:3], number(arc[3])) for arc in subsets.arcs[state]]
        ends = owed if state == _END else subsets.finals[state]
        final = 0.0 if (state, owed) == _LAST else np.inf
        if len(ends) == 1 and len(ends[0][0]) <= 1:
            said, cost = ends[0]
            if said:
                out.append((end_label, said[0], cost, number(*_LAST)))
            else:
                final = cost
        else:
            for i, (said, cost) in enumerate(ends):
                rest = number(_END, ((said[1:], 0.0),))
                out.append((end_label + i * count_up, said[0] if said else 0, cost, rest))
        arcs.append(out)
        finals.append(final)
    return with_arcs(fst, 0, finals, arcs)


class _Subsets:
    """Attributes: ``arcs`` of each set of states, and what is owed at its end, ``finals``."""

    def __init__(self, fst: Fst, delta: float, functional: bool) -> None:
        self._fst, self._delta, self._functional = fst, delta, functional
        self._is_acceptor = bool((fst.arcs["ilabel"] == fst.arcs["olabel"]).all())
        start: Subset = ((fst.start, _NOTHING),)
        numbers = {start: 0}
        self.arcs: Arcs = []
        self.finals: list[Owed] = []
        for subset in (waiting := [start]):  # grows on the way
            out = []
            for ilabel, ways in sorted(self._ways(subset).items()):
                olabel, cost, reached = self._normalized(ways)
                if reached not in numbers:
                    numbers[reached] = len(numbers)
                    waiting.append(reached)
                out.append((ilabel, ilabel if self._is_acceptor else olabel, cost, numbers[reached]))
            self.arcs.append(out)
            ends = [(said, cost + float(fst.finals[state])) for state, owed in subset for said, cost in owed]
            self.finals.append(self._together(end for end in ends if end[1] < np.inf))

    def _ways(self, subset: Subset) -> dict[int, list[tuple[int, Labels, float]]]:
        """By input label: where they lead, and what is owed there."""
        ways: dict[int, list[tuple[int, Labels, float]]] = defaultdict(list)
        for state, owed in subset:
            for ilabel, olabel, weight, target in self._fst.arcs_of(state).tolist():
                said = () if self._is_acceptor or not olabel else (olabel,)
                if weight < np.inf:
                    ways[ilabel] += [(target, before + said, cost + weight) for before, cost in owed]
        return ways

    def _normalized(self, ways: list[tuple[int, Labels, float]]) -> tuple[int, float, Subset]:
        """The label with which all begin, or 0; what all cost together; and what is owed then."""
        beginnings = {said[:1] for _, said, _ in ways}
        common = beginnings.pop() if len(beginnings) == 1 else ()
        total = log_add(*(cost for *_, cost in ways))
        of_states: dict[int, list[tuple[Labels, float]]] = defaultdict(list)
        for state, said, cost in ways:
            of_states[state].append((said[len(common) :], cost))
        subset = tuple((state, self._beyond(total, of_states[state])) for state in sorted(of_states))
        return common[0] if common else 0, total, subset

    def _beyond(self, total: float, owed: list[tuple[Labels, float]]) -> Owed:
        delta = self._delta
        return tuple((s, float(np.floor((c - total) / delta + 0.5) * delta)) for s, c in self._together(owed))

    def _together(self, owed: Iterable[tuple[Labels, float]]) -> Owed:
        costs: dict[Labels, list[float]] = defaultdict(list)
        for said, cost in owed:
            costs[said].append(cost)
        if self._functional and len(costs) > 1:
            one, other = sorted(costs)[:2]
            raise KaldiError(
                f"the transducer is not functional: the same input has the outputs {_shown(one)} and {_shown(other)} "
                "(--det_type=nonfunctional takes both)"
            )
        return tuple((said, log_add(*costs[said])) for said in sorted(costs, key=lambda said: (len(said), said)))


def _shown(labels: Labels) -> str:
    return "_".join(map(str, labels)) or "of no label"

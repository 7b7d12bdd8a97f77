"""Output labels, and weights with them, moved along the paths towards the start or the ends (fst/push.h).

What all ways from a state to the ends have in common at their beginning (or all ways to it at their end) goes onto the
arcs before it (after it). Arcs then have any number of output labels; those with several become a row of arcs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from kaldi_bridge.fsts.distances import distances
from kaldi_bridge.fsts.fst import Fst
from kaldi_bridge.fsts.rational import is_on_cycle

Labels = tuple[int, ...]


class StringArc(NamedTuple):
    """An arc with any number of output labels."""

    ilabel: int
    labels: Labels
    cost: float
    nextstate: int


class _Potential(NamedTuple):
    """What moves over a state."""

    labels: Labels
    cost: float


_NOTHING = _Potential((), 0.0)
Output = tuple[Labels, float]
"""Labels, and a cost."""
Strings = tuple[int, list[list[StringArc]], list[Output | None]]
"""The start state, each state's arcs, and what is said and paid at its end, if it is one."""


def labels_pushed(
    fst: Fst,
    to_final: bool = False,
    push_weights: bool = False,
    remove_total_weight: bool = False,
    remove_common_affix: bool = False,
    in_log: bool = False,
    delta: float = 1.0 / 1024.0,
) -> Fst:
    """With output labels, and weights with ``push_weights``, as near to the start (the ends) as they can be.

    Args:
        remove_total_weight, remove_common_affix: without what all paths cost, or say, in common.
        in_log, delta: as for ``distances.weights_pushed``.

    Raises:
        KaldiError: a cycle makes ways ever cheaper.
    """
    if fst.start < 0:
        return fst.changed()
    flags = to_final, push_weights, remove_total_weight, remove_common_affix
    return in_rows(fst, *strings_pushed(fst, *flags, in_log, delta))


def strings_pushed(
    fst: Fst,
    to_final: bool = False,
    push_weights: bool = False,
    remove_total_weight: bool = False,
    remove_common_affix: bool = False,
    in_log: bool = False,
    delta: float = 1.0 / 1024.0,
) -> Strings:
    """The same, with arcs that have any number of output labels; of an FST that has a start."""
    free = fst.changed(finals=np.where(np.isfinite(fst.finals), 0, fst.finals).astype(np.float32), arcs=fst.arcs.copy())
    free.arcs["weight"] = 0
    costs = distances(fst if push_weights else free, not to_final, in_log, delta).astype(np.float32).tolist()
    common = _common(fst, to_final)
    potentials = [
        None if labels is None or not np.isfinite(cost) else _Potential(labels, cost)
        for labels, cost in zip(common, costs, strict=True)
    ]
    arcs, finals = _reweighted(fst, potentials, to_final)
    start = fst.start
    total = potentials[start] or _NOTHING
    if to_final:
        total = _total(fst, potentials, in_log)
    elif total != _NOTHING:
        start = _given_back(fst, arcs, finals, total)
    removed = _Potential(total.labels * remove_common_affix, total.cost * remove_total_weight)
    if removed != _NOTHING:
        if to_final:
            finals = [_without(final, removed, True) for final in finals]
        else:
            size = len(removed.labels)
            arcs[start] = [a._replace(labels=a.labels[size:], cost=a.cost - removed.cost) for a in arcs[start]]
            finals[start] = _without(finals[start], removed)
    return start, arcs, finals


def _common(fst: Fst, from_start: bool) -> list[Labels | None]:
    """What all ways from each state to the ends begin with (from the start to it, end with); None: there is none."""
    ways = [(source, arc[1], arc[3]) for source, arc in zip(fst.sources.tolist(), fst.arcs.tolist(), strict=True)]
    join: Callable[[Labels, Labels], Labels]
    if from_start:
        found: list[Labels | None] = [() if state == fst.start else None for state in range(fst.num_states)]
        ways, join = [(target, label, source) for source, label, target in ways], _common_end
    else:
        found = [() if np.isfinite(final) else None for final in fst.finals]
        join = _common_beginning
    changed = True
    while changed:
        changed = False
        for state, label, after in ways:
            beyond = found[after]
            if beyond is None:
                continue
            said = (label,) * bool(label)
            through = beyond + said if from_start else said + beyond
            before = found[state]
            now = through if before is None else join(before, through)
            if now != before:
                found[state], changed = now, True
    return found


def _common_beginning(one: Labels, other: Labels) -> Labels:
    size = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    return one[:size]


def _common_end(one: Labels, other: Labels) -> Labels:
    return _common_beginning(one[::-1], other[::-1])[::-1]


def _reweighted(
    fst: Fst, potentials: list[_Potential | None], to_final: bool
) -> tuple[list[list[StringArc]], list[Output | None]]:
    """Arcs of each state, and what is said and paid at its end."""
    arcs: list[list[StringArc]] = []
    finals: list[Output | None] = []
    for state, here in enumerate(potentials):
        out = []
        for ilabel, olabel, cost, target in fst.arcs_of(state).tolist():
            said = (olabel,) * bool(olabel)
            there = potentials[target]
            if here is not None and there is not None:
                if to_final:
                    said = here.labels + said
                    said = said[: len(said) - len(there.labels)]
                    cost = here.cost + cost - there.cost
                else:
                    said = (said + there.labels)[len(here.labels) :]
                    cost = cost + there.cost - here.cost
            out.append(StringArc(ilabel, said, cost, target))
        arcs.append(out)
        final = float(fst.finals[state])
        end: Output | None = ((), final) if np.isfinite(final) else None
        if end is not None and to_final:
            end = (here.labels, final + here.cost) if here is not None else None
        elif end is not None and here is not None:
            end = _without(end, here)
        finals.append(end)
    return arcs, finals


def _given_back(fst: Fst, arcs: list[list[StringArc]], finals: list[Output | None], total: _Potential) -> int:
    """Puts what all paths have in common on the start, or on an arc into it where ways lead back; the start then."""
    start = fst.start
    if is_on_cycle(fst, start):
        arcs.append([StringArc(0, total.labels, total.cost, start)])
        finals.append(None)
        return len(arcs) - 1
    arcs[start] = [StringArc(a.ilabel, total.labels + a.labels, a.cost + total.cost, a.nextstate) for a in arcs[start]]
    end = finals[start]
    finals[start] = None if end is None else (total.labels + end[0], end[1] + total.cost)
    return start


def _total(fst: Fst, potentials: list[_Potential | None], in_log: bool) -> _Potential:
    """What all paths say at their end and cost, from what leads to their last states."""
    ends = [(p.labels, p.cost + float(f)) for p, f in zip(potentials, fst.finals, strict=True) if p and np.isfinite(f)]
    if not ends:
        return _NOTHING
    labels, costs = ends[0][0], [cost for _, cost in ends]
    for other, _ in ends[1:]:
        labels = _common_end(labels, other)
    return _Potential(labels, float(-np.logaddexp.reduce(-np.array(costs))) if in_log else min(costs))


def _without(output: Output | None, removed: _Potential, at_end: bool = False) -> Output | None:
    if output is None:
        return None
    labels, size = output[0], len(removed.labels)
    return (labels[: len(labels) - size] if at_end else labels[size:]), output[1] - removed.cost


def in_rows(fst: Fst, start: int, arcs: list[list[StringArc]], finals: list[Output | None]) -> Fst:
    """With one output label on each arc, states breadth first; what is said at an end gets arcs without input label."""
    at_end = -1  # where nothing but what is left to be said follows
    numbers: dict[tuple[int, Labels], int] = {(start, ()): 0}
    ways: list[tuple[int, int, int, float, int]] = []
    costs: dict[int, float] = {}

    def number(state: int, left: Labels) -> int:
        if (state, left) not in numbers:
            numbers[state, left] = len(numbers)
            places.append((state, left))
        return numbers[state, left]

    last = []  # ends that say one more label
    places: list[tuple[int, Labels]] = [(start, ())]
    for place, (state, left) in enumerate(places):  # grows on the way
        for arc in arcs[state] if state != at_end else []:
            said = left + arc.labels
            ways.append((place, arc.ilabel, said[0] if said else 0, arc.cost, number(arc.nextstate, said[1:])))
        final = (left, 0.0) if state == at_end else finals[state]
        if final is None:
            continue
        said = final[0] if state == at_end else left + final[0]
        if len(said) > 1:
            ways.append((place, 0, said[0], final[1], number(at_end, said[1:])))
        elif said:
            last.append((place, 0, said[0], final[1]))
        else:
            costs[place] = final[1]
    if last:
        costs[len(numbers)] = 0.0
    made = Fst.from_arcs(0, costs, [*ways, *((*way, len(numbers)) for way in last)])
    return fst.changed(start=0, finals=made.finals, offsets=made.offsets, arcs=made.arcs)

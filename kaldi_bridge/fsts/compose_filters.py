"""Composition by OpenFst's filters "match" and "alt_sequence" (fst/compose.h, fst/compose-filter.h).

A filter says in which order two FSTs may take their epsilons, so that no path of the result is there twice. Its state
is 0 where both may go on; what 1 and 2 forbid is the filter's own affair.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from kaldi_bridge.fsts.fst import Fst
from kaldi_bridge.fsts.labels import connected

STAY = -1
"""The label of the loop, in no file, by which one FST stays where it is while the other takes an epsilon."""

_Arc = tuple[int, int, float, int]
_Filter = Callable[[int, bool, bool, bool, bool, int, int], "int | None"]


def _alt_sequence(state: int, no1: bool, all1: bool, no2: bool, all2: bool, label1: int, label2: int) -> int | None:
    """Epsilons of the second FST come before those of the first."""
    if label2 == STAY:
        return None if all2 else 0 if no2 else 1
    if label1 == STAY:
        return None if state == 1 else 0
    return None if label1 == 0 else 0


def _match(state: int, no1: bool, all1: bool, no2: bool, all2: bool, label1: int, label2: int) -> int | None:
    """Epsilons of both FSTs are taken together as far as they can be."""
    if label2 == STAY:
        return (0 if no2 else None if all2 else 1) if state == 0 else 1 if state == 1 else None
    if label1 == STAY:
        return (0 if no1 else None if all1 else 2) if state == 0 else 2 if state == 2 else None
    return (0 if state == 0 else None) if label1 == 0 else 0


FILTERS: dict[str, _Filter] = {"alt_sequence": _alt_sequence, "match": _match}


def filtered_composition(first: Fst, second: Fst, side: str, compose_filter: str, connect: bool = True) -> Fst:
    """The first FST, then the second, by a filter of FILTERS; states are numbered as they are found.

    ``side``: of which FST, "left" or "right", the arcs are looked up for each arc of the other.
    """
    if first.start < 0 or second.start < 0:
        return _between(first, second, Fst(-1, first.finals[:0], first.offsets[:1], first.arcs[:0]))
    allowed = FILTERS[compose_filter]
    states = [(first.start, second.start, 0)]
    numbers = {states[0]: 0}
    arcs: list[tuple[int, int, int, float, int]] = []
    finals: dict[int, float] = {}
    for number, (s1, s2, state) in enumerate(states):  # grows on the way
        arcs1, arcs2 = first.arcs_of(s1).tolist(), second.arcs_of(s2).tolist()
        final1, final2 = first.finals[s1], second.finals[s2]
        ends1, ends2 = final1 != np.inf, final2 != np.inf
        if ends1 and ends2:
            finals[number] = float(final1 + final2)
        epsilons1, epsilons2 = sum(a[1] == 0 for a in arcs1), sum(a[0] == 0 for a in arcs2)
        all1 = epsilons1 == len(arcs1) and not ends1
        all2 = epsilons2 == len(arcs2) and not ends2
        for one, other in _matches(arcs1, arcs2, s1, s2, side):
            after = allowed(state, epsilons1 == 0, all1, epsilons2 == 0, all2, one[1], other[0])
            if after is None:
                continue
            target = (one[3], other[3], after)
            if target not in numbers:
                numbers[target] = len(states)
                states.append(target)
            cost = float(np.float32(one[2]) + np.float32(other[2]))
            arcs.append((number, max(one[0], 0), max(other[1], 0), cost, numbers[target]))
    made = _between(first, second, Fst.from_arcs(0, finals, arcs))
    return connected(made) if connect else made


def _between(first: Fst, second: Fst, made: Fst) -> Fst:
    """With the arc type and input symbols of the first FST and the output symbols of the second."""
    made = first.changed(start=made.start, finals=made.finals, offsets=made.offsets, arcs=made.arcs)
    if made.header is not None:
        made.header.osymbols = second.header.osymbols if second.header else b""
    return made


def _matches(arcs1: list[_Arc], arcs2: list[_Arc], s1: int, s2: int, side: str) -> Iterator[tuple[_Arc, _Arc]]:
    """Pairs of arcs that go together, in OpenFst's order: where the FST that is gone through stays comes first."""
    stay1, stay2 = (0, STAY, 0.0, s1), (STAY, 0, 0.0, s2)
    if side == "right":
        yield from ((stay1, other) for other in arcs2 if other[0] == 0)
        for one in arcs1:
            if one[1] == 0:
                yield one, stay2
            yield from ((one, other) for other in arcs2 if other[0] == one[1])
    else:
        yield from ((one, stay2) for one in arcs1 if one[1] == 0)
        for other in arcs2:
            if other[0] == 0:
                yield stay1, other
            yield from ((one, other) for one in arcs1 if one[1] == other[0])

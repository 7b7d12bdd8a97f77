"""Putting FSTs in the place of arcs of another, recursively (fst/replace.h)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.fsts.fst import Fst

SIDES = {"neither": (False, False), "input": (True, False), "output": (False, True), "both": (True, True)}

_Stack = tuple[tuple[int, int], ...]
"""What is to be gone on with after the present FST, the last entered at the end: (its label, a state of it)."""


@dataclass
class CallLabels:
    """Which labels stay on the arcs that lead into an FST, and which ones are on those back: keys of SIDES."""

    on_call: str = "input"
    on_return: str = "neither"
    return_label: int = 0


def replaced(fsts: Mapping[int, Fst], root: int, labels: CallLabels | None = None) -> Fst:
    """The FST of label ``root``, in which arcs with the label of an FST as output label lead through that FST.

    States are numbered as they are found, breadth first. Raises KaldiError where any of the FSTs leads into itself.
    """
    labels = labels or CallLabels()
    _check_recursion(fsts)
    call_in, call_out = SIDES[labels.on_call]
    return_in, return_out = SIDES[labels.on_return]
    back = labels.return_label * return_in, labels.return_label * return_out
    top = fsts[root]
    if top.start < 0:
        return top.changed()
    states: list[tuple[_Stack, int, int]] = [((), root, top.start)]
    numbers = {states[0]: 0}

    def number(state: tuple[_Stack, int, int]) -> int:
        if state not in numbers:
            numbers[state] = len(states)
            states.append(state)
        return numbers[state]

    arcs, finals = [], {}
    for s, (stack, label, state) in enumerate(states):  # grows on the way
        fst = fsts[label]
        final = float(fst.finals[state])
        if final != np.inf:
            if stack:
                arcs.append((s, *back, final, number((stack[:-1], *stack[-1]))))
            else:
                finals[s] = final
        for ilabel, olabel, cost, target in fst.arcs_of(state).tolist():
            inner = fsts.get(olabel) if olabel else None
            if inner is None:
                arcs.append((s, ilabel, olabel, cost, number((stack, label, target))))
            elif inner.start >= 0:
                entered = number(((*stack, (label, target)), olabel, inner.start))
                arcs.append((s, ilabel * call_in, olabel * call_out, cost, entered))
    made = Fst.from_arcs(0, finals, arcs)
    return top.changed(start=0, finals=made.finals, offsets=made.offsets, arcs=made.arcs)


def _check_recursion(fsts: Mapping[int, Fst]) -> None:
    leads_to = {label: set(np.unique(fst.arcs["olabel"]).tolist()) & set(fsts) - {0} for label, fst in fsts.items()}
    done: set[int] = set()
    way: list[int] = []

    def visit(label: int) -> None:
        if label in way:
            raise KaldiError("Replace: Cyclic dependencies detected; cannot expand")
        if label not in done:
            way.append(label)
            for inner in sorted(leads_to[label]):
                visit(inner)
            done.add(way.pop())

    for label in fsts:
        visit(label)

"""Depth-first search over states, and the topological order that OpenFst's TopSort gives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from kaldi_bridge.fsts.fst import Fst


def depth_first(start: int, arcs: Sequence[Sequence[tuple[Any, ...]]]) -> tuple[list[int], list[int], bool]:
    """(states as found, states as left, whether there is a cycle) from ``start``, then from states not yet found.

    ``arcs[s]`` are tuples whose last element is the next state.
    """
    n = len(arcs)
    found: list[int] = []
    left: list[int] = []
    color = bytearray(n)  # 0 new, 1 on the way, 2 left
    cyclic = False
    for root in [start, *range(n)] if start >= 0 else range(n):
        if color[root]:
            continue
        color[root] = 1
        found.append(root)
        stack = [(root, iter(arcs[root]))]
        while stack:
            state, rest = stack[-1]
            for arc in rest:
                target = arc[-1]
                if color[target] == 0:
                    color[target] = 1
                    found.append(target)
                    stack.append((target, iter(arcs[target])))
                    break
                cyclic = cyclic or color[target] == 1
            else:
                color[state] = 2
                left.append(state)
                stack.pop()
    return found, left, cyclic


def topological_order(start: int, arcs: Sequence[Sequence[tuple[Any, ...]]]) -> list[int] | None:
    """``order[s]`` is the new number of state s, so that arcs lead to higher numbers; None when there is a cycle."""
    _, left, cyclic = depth_first(start, arcs)
    if cyclic:
        return None
    order = [0] * len(arcs)
    for number, state in enumerate(reversed(left)):
        order[state] = number
    return order


def topologically_sorted(fst: Fst) -> Fst | None:
    """With its states in topological order; None where there is a cycle."""
    order = topological_order(fst.start, [fst.arcs_of(s)["nextstate"][:, None].tolist() for s in range(fst.num_states)])
    if order is None:
        return None
    old = np.argsort(order)
    counts = np.diff(fst.offsets)
    arcs = np.concatenate([fst.arcs[:0], *(fst.arcs_of(s) for s in old)])
    arcs["nextstate"] = np.array(order, np.int32)[arcs["nextstate"]]
    return fst.changed(
        start=order[fst.start] if fst.start >= 0 else -1,
        finals=fst.finals[old],
        offsets=np.concatenate([[0], np.cumsum(counts[old])]),
        arcs=arcs,
    )

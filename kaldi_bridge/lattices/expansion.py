"""Lattices in which what lies behind a probable arc is not shared with other paths (ExpandCompactLattice).

A language model that looks far back can then give probable words costs by their own histories. Source:
lat/lattice-functions.cc.
"""

from __future__ import annotations

from collections import deque

import numpy as np

from kaldi_bridge.lattices.lattice import CompactLattice, selected, sorted_if_needed


def expanded(lattice: CompactLattice, epsilon: float) -> CompactLattice:
    """With a state of its own behind each arc whose posterior is above ``epsilon``; all others to a state share one.

    Raises KaldiError for a cycle.
    """
    lattice = sorted_if_needed(lattice)
    if lattice.start < 0:
        return lattice
    costs, targets = lattice.arc_costs, lattice.arcs["nextstate"].tolist()
    backward = lattice.graph.log_sums_to_end(costs, lattice.final_costs)
    to_end, likelihoods, ends = backward.tolist(), (-costs).tolist(), lattice.offsets.tolist()
    total = to_end[lattice.start]
    originals, forward = [lattice.start], [0.0]
    shared: dict[int, int] = {}
    arcs, next_states, counts = list[int](), list[int](), list[int]()
    queue = deque([0])
    while queue:
        state = queue.popleft()
        begin, end = ends[originals[state] : originals[state] + 2]
        for arc in range(begin, end):
            target = targets[arc]
            reached = forward[state] + likelihoods[arc]
            copy = None if np.exp(reached + to_end[target] - total) > epsilon else shared.get(target, -1)
            if copy is None or copy < 0:
                if copy is not None:
                    shared[target] = len(originals)
                copy = len(originals)
                originals.append(target)
                forward.append(reached)
                queue.append(copy)
            else:
                forward[copy] = float(np.logaddexp(forward[copy], reached))
            arcs.append(arc)
            next_states.append(copy)
        counts.append(end - begin)
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    made = selected(lattice, 0, offsets, np.array(arcs, np.int64), np.array(originals))
    made.arcs["nextstate"] = next_states
    return made

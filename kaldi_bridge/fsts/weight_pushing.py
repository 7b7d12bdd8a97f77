"""Weight pushing that needs no shortest distances (fstext/push-special.cc).

Costs are moved along the paths so that the probabilities out of all states have the same sum; a final state counts as
if an arc led from it to the start. The potentials that do this are the principal eigenvector of the matrix of
probabilities.
"""

from __future__ import annotations

import math

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.fsts.fst import Fst

KDELTA = 1.0 / 1024.0
MAX_ITERATIONS = 200


def potentials(
    source: np.ndarray, target: np.ndarray, costs: np.ndarray, finals: np.ndarray, start: int, delta: float
) -> np.ndarray:
    """Cost potentials [states] of arcs from ``source`` to ``target`` [arcs] and final costs [states].

    The power method goes on until the logarithms of the sums differ by at most ``delta``; where it does not get there
    it warns, and the result is not exact.
    """
    states = len(finals)
    prob = np.exp(-costs.astype(np.float64))
    final = np.exp(-finals.astype(np.float64))
    potential = np.full(states, 1.0 / math.sqrt(states))
    for iteration in range(MAX_ITERATIONS):
        flow = np.bincount(source, prob * potential[target], states) + final * potential[start]
        if iteration % 5 == 1 and iteration > 1:
            sums = flow / potential
            if math.log(sums.max() / sums.min()) <= delta:
                break
        potential = 0.1 * potential + flow
        potential /= np.linalg.norm(potential)
    else:
        log.warning(f"Pushing weights: no convergence after {MAX_ITERATIONS} iterations; the result will not be exact")
    return -np.log(potential)


def push_special(fst: Fst, delta: float = KDELTA) -> Fst:
    """The FST with its weights pushed."""
    if not fst.num_states:
        return fst
    source, target = fst.sources, fst.arcs["nextstate"]
    move = potentials(source, target, fst.arcs["weight"], fst.finals, fst.start, delta)
    arcs = fst.arcs.copy()
    arcs["weight"] = arcs["weight"] + move[target] - move[source]
    finals = (fst.finals + move[fst.start] - move).astype(np.float32)
    return Fst(fst.start, finals, fst.offsets, arcs)

"""Whether two lattices have the same paths, tried on random ones (OpenFst's RandEquivalent)."""

from __future__ import annotations

import random

from kaldi_bridge.lattices.lattice import AnyLattice, Arc, Final, connected, to_lattice
from kaldi_bridge.lattices.linear import word_path
from kaldi_bridge.lattices.paths import random_paths

Lists = tuple[list[list[Arc]], list[Final | None]]


def _best_cost(start: int, lists: Lists, ids: list[int], words: list[int]) -> float:
    """Of the cheapest path with these transition-ids and words; infinite: there is none. There must be no cycle."""
    arcs, finals = lists
    costs = {(start, 0, 0): 0.0}
    waiting = list(costs)
    best = float("inf")
    while waiting:
        place = waiting.pop()
        state, i, w = place
        final = finals[state]
        if final is not None and i == len(ids) and w == len(words):
            best = min(best, costs[place] + sum(final))
        for ilabel, olabel, graph, acoustic, target in arcs[state]:
            if (ilabel and ids[i : i + 1] != [ilabel]) or (olabel and words[w : w + 1] != [olabel]):
                continue
            there = (target, i + bool(ilabel), w + bool(olabel))
            cost = costs[place] + graph + acoustic
            if cost < costs.get(there, float("inf")):
                costs[there] = cost
                waiting.append(there)
    return best


def are_equivalent(one: AnyLattice, other: AnyLattice, paths: int, delta: float, rng: random.Random) -> bool:
    """Whether random paths of each are in the other too, with costs that differ by ``delta`` at most.

    Neither may have a cycle.
    """
    first, second = connected(to_lattice(one)), connected(to_lattice(other))
    if (first.start < 0) != (second.start < 0):
        return False
    lists = [(lattice.start, lattice.to_lists()) for lattice in (first, second)]
    for chosen in (first, second):
        for path in random_paths(chosen, paths, rng):
            ids, words, _ = word_path(path)
            costs = [_best_cost(*lattice, ids.tolist(), words.tolist()) for lattice in lists]
            if not abs(costs[0] - costs[1]) <= delta:
                return False
    return True

"""Whether two lattices have the same paths, tried on random ones (OpenFst's RandEquivalent)."""

from __future__ import annotations

import random

import numpy as np

from kaldi_bridge.extension import _csrc
from kaldi_bridge.lattices.lattice import AnyLattice, connected, sorted_if_needed, to_lattice
from kaldi_bridge.lattices.paths import random_walks


def are_equivalent(one: AnyLattice, other: AnyLattice, paths: int, delta: float, rng: random.Random) -> bool:
    """Whether random paths of each are in the other too, with costs that differ by ``delta`` at most.

    Raises KaldiError for a lattice with a cycle.
    """
    first, second = (sorted_if_needed(connected(to_lattice(lattice))) for lattice in (one, other))
    if (first.start < 0) != (second.start < 0):
        return False
    for chosen in (first, second):
        labels = [
            tuple(chosen.arcs[side][walk][chosen.arcs[side][walk] != 0] for side in ("ilabel", "olabel"))
            for walk, _ in random_walks(chosen, paths, rng)
        ]
        costs = [np.array(_csrc.cheapest_costs(lattice.parts, labels)) for lattice in (first, second)]
        if not (np.abs(costs[0] - costs[1]) <= delta).all():
            return False
    return True

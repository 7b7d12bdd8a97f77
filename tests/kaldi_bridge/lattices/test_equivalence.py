"""Lattices with the same paths, and what single paths cost in them."""

import math
import random

import pytest

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.extension import _csrc
from kaldi_bridge.lattices.equivalence import are_equivalent
from kaldi_bridge.lattices.lattice import Lattice

# Transition-ids 1 2 with the word 7 on either, 1 2 without a word by an epsilon, and 3 alone.
ARCS = [
    [(1, 7, 1.0, 0.5, 1), (1, 0, 0.25, 0.0, 2), (3, 0, 2.0, 2.0, 4)],
    [(2, 0, 1.0, 0.0, 4)],
    [(0, 0, 0.0, 0.125, 3), (2, 7, 0.5, 0.25, 4)],
    [(2, 0, 0.0, 0.0, 4)],
    [],
]


def lattice_of(arcs: list[list[tuple[int, int, float, float, int]]]) -> Lattice:
    return Lattice.from_lists(0, arcs, [None, None, None, None, (0.5, 0.0)])


def test_the_cheapest_of_the_paths_with_the_same_labels() -> None:
    paths = [([1, 2], [7]), ([1, 2], []), ([3], []), ([1], [7]), ([1, 2], [7, 7]), ([], []), ([3, 3], [])]
    costs = _csrc.cheapest_costs(lattice_of(ARCS).parts, paths)
    assert costs == [1.5, 0.875, 4.5, math.inf, math.inf, math.inf, math.inf]


def test_equivalent_lattices() -> None:
    """Costs may be elsewhere on a path; a missing path or another cost is found, in whichever lattice it is."""
    moved = [list(out) for out in ARCS]
    moved[0][2], other = (3, 0, 1.0, 3.0, 4), [list(out) for out in ARCS]
    other[0][2] = (3, 0, 2.0, 2.5, 4)
    less = [ARCS[0][:2], *ARCS[1:]]
    whole = lattice_of(ARCS)
    assert are_equivalent(whole, lattice_of(moved), 20, 0.1, random.Random(0))
    for wrong in (other, less):
        assert not are_equivalent(whole, lattice_of(wrong), 20, 0.1, random.Random(0))
        assert not are_equivalent(lattice_of(wrong), whole, 20, 0.1, random.Random(0))


def test_a_cycle() -> None:
    cyclic = lattice_of([*ARCS[:3], [(2, 0, 0.0, 0.0, 0), (2, 0, 0.0, 0.0, 4)], []])
    with pytest.raises(KaldiError, match="cycle"):
        are_equivalent(cyclic, cyclic, 20, 0.1, random.Random(0))

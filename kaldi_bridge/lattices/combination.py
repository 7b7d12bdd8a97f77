"""Lattices of several systems as one (latbin/lattice-combine.cc): each path's probability is a weighted mean."""

from __future__ import annotations

import math
from functools import reduce

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.errors import EntryError
from kaldi_bridge.io.text import words
from kaldi_bridge.lattices.costs import scale
from kaldi_bridge.lattices.lattice import COMPACT_ARC, CompactLattice, is_cyclic, sorted_if_needed, top_sorted
from kaldi_bridge.lattices.paths import n_best_paths


def normalized(
    lattice: CompactLattice, weight: float, acoustic_scale: float = 1.0, graph_scale: float = 1.0
) -> CompactLattice:
    """Scaled, with final costs such that the probabilities of all paths add up to ``weight``.

    Raises EntryError for a weight that is not positive and a lattice with a cycle or without a path.
    """
    if weight <= 0.0:
        raise EntryError(f"Weights must be positive; found: {weight:g}")
    if is_cyclic(lattice):
        raise EntryError("Cycles detected in lattice: cannot normalize.")
    scaled = scale(lattice, acoustic_scale, graph_scale)
    # Kaldi does not know whether a lattice is sorted once it is scaled, and sorts it anew.
    lattice = sorted_if_needed(lattice) if scaled is lattice else top_sorted(scaled)
    if lattice.start < 0:
        raise EntryError("the lattice is empty")
    total = lattice.graph.log_sums_to_end(lattice.arc_costs, lattice.final_costs)[lattice.start]
    finals = lattice.finals.copy()
    finals[:, 0] += np.float32(np.float32(total) - np.float32(math.log(weight)))
    return CompactLattice(lattice.start, lattice.offsets, lattice.arcs, finals, lattice.string_offsets, lattice.strings)


def union(one: CompactLattice, other: CompactLattice) -> CompactLattice:
    """The paths of both: an arc without a word leads from the start to the other's. Neither may be empty."""
    first, number = int(one.offsets[one.start + 1]), one.num_states
    arc = np.array([(0, 0.0, 0.0, other.start + number)], COMPACT_ARC)
    others = other.arcs.copy()
    others["nextstate"] += number
    arcs = np.concatenate([one.arcs[:first], arc, one.arcs[first:], others])
    offsets = one.offsets + (np.arange(number + 1) > one.start)
    lengths = (one.string_lengths, other.string_lengths)
    places = np.concatenate(
        [
            lengths[0][:first],
            [0],
            lengths[0][first : one.num_arcs],
            lengths[1][: other.num_arcs],
            lengths[0][one.num_arcs :],
            lengths[1][other.num_arcs :],
        ]
    )
    ends = one.string_offsets[one.num_arcs], other.string_offsets[other.num_arcs]
    strings = [one.strings[: ends[0]], other.strings[: ends[1]], one.strings[ends[0] :], other.strings[ends[1] :]]
    return CompactLattice(
        one.start,
        np.concatenate([offsets, offsets[-1] + other.offsets[1:]]),
        arcs,
        np.concatenate([one.finals, other.finals]),
        np.concatenate([[0], np.cumsum(places)]).astype(np.int64),
        np.concatenate(strings),
    )


def n_best_lattice(lattice: CompactLattice, n: int) -> CompactLattice:
    """The n cheapest paths beside each other. Raises KaldiError for a lattice with a cycle."""
    paths = list(n_best_paths(lattice, n))
    return reduce(union, paths) if paths else lattice


def weights_of(text: str, count: int) -> list[float]:
    """Of "0.2:0.8"; the same for all, with a warning, where the text is not ``count`` weights."""
    uniform = [1.0 / count] * count
    if not text:
        return uniform
    try:
        weights = [float(field) for part in text.split(":") for field in words(part)]
    except ValueError:
        weights = []
    if len(weights) != count:
        log.warning(f"Expecting {count} weights, found {len(weights)}: using uniform weights.")
        return uniform
    negative = [weight for weight in weights if not weight >= 0.0]
    if negative or not sum(weights) > 0.0:
        log.warning(f"Cannot use weights {text}\n\tUsing uniform weights.")
        return uniform
    total = float(np.float32(sum(weights)))
    if total != 1.0:
        log.warning(f"Weights sum to {total:g} instead of 1: renormalizing")
    return [weight / total for weight in weights]

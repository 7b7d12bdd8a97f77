"""Examples for discriminative training, one after the other as one (nnet3/nnet-discriminative-example.cc)."""

from __future__ import annotations

from functools import reduce

import numpy as np

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.examples.buffer import MARKER
from kaldi_bridge.examples.discriminative_examples import (
    RAW_DISCRIMINATIVE_EXAMPLE,
    DiscriminativeExample,
    DiscriminativeOutput,
)
from kaldi_bridge.examples.discriminative_supervision import DiscriminativeSupervision
from kaldi_bridge.examples.merging import merge_inputs, merge_rows
from kaldi_bridge.extension import _csrc
from kaldi_bridge.fsts import properties
from kaldi_bridge.lattices.lattice import LATTICE_ARC, NOT_FINAL, Lattice, top_sorted


def merge_discriminative_examples(examples: list[bytes], compress: bool = False) -> bytes:
    """One example with the rows of all, from and to the bytes of their binary form.

    Raises KaldiError where one is a merged one, or they do not fit together.
    """
    parts = [
        [DiscriminativeOutput.from_parts(*each) for each in _csrc.example_outputs(data, len(MARKER))]
        for data in examples
    ]
    outputs = [_merge_outputs(list(same)) for same in zip(*parts, strict=True)]
    return RAW_DISCRIMINATIVE_EXAMPLE.data(DiscriminativeExample(merge_inputs(examples, compress), outputs))


def _merge_outputs(parts: list[DiscriminativeOutput]) -> DiscriminativeOutput:
    if len(parts) == 1:
        return parts[0]
    indexes, weights = merge_rows([part.indexes for part in parts], [part.deriv_weights for part in parts])
    return DiscriminativeOutput(
        parts[0].name, indexes, merge_discriminative_supervisions([part.supervision for part in parts]), weights
    )


def merge_discriminative_supervisions(parts: list[DiscriminativeSupervision]) -> DiscriminativeSupervision:
    """Raises KaldiError where they differ in weight or length, or one is a merged one."""
    first = parts[0]
    if len(parts) == 1:
        return first
    for part in parts:
        if part.num_sequences != 1:
            raise KaldiError("supervisions that are merged already cannot be merged")
        if (part.weight, part.frames_per_sequence) != (first.weight, first.frames_per_sequence):
            raise KaldiError("supervisions of different weights or lengths cannot be merged")
    lattice = top_sorted(concatenated([part.lattice for part in parts]))
    known = reduce(
        lambda later, earlier: properties.of_concatenated(earlier, later), [p.lattice.properties for p in parts][::-1]
    )
    lattice.properties = properties.of_sorted(known)
    alignment = np.concatenate([part.alignment for part in parts])
    return DiscriminativeSupervision(first.weight, len(parts), first.frames_per_sequence, alignment, lattice)


def concatenated(lattices: list[Lattice]) -> Lattice:
    """One lattice after the other, with epsilons in between; the states of the last come first (fst/concat.h)."""
    parts = lattices[::-1]
    sizes = np.array([part.num_states for part in parts])
    firsts = np.cumsum(sizes) - sizes
    starts = firsts + [part.start for part in parts]
    part_of = np.repeat(np.arange(len(parts)), sizes)
    arcs = np.concatenate([part.arcs for part in parts], dtype=LATTICE_ARC)
    finals = np.concatenate([part.finals for part in parts])
    counts = np.concatenate([np.diff(part.offsets) for part in parts])
    arcs["nextstate"] += np.repeat(firsts, [part.num_arcs for part in parts]).astype(np.int32)
    leads_on = np.concatenate([part.is_final for part in parts]) & (part_of > 0)
    joints = np.zeros(np.count_nonzero(leads_on), LATTICE_ARC)
    joints["graph"], joints["acoustic"] = finals[leads_on].T
    joints["nextstate"] = starts[part_of[leads_on] - 1]
    arcs = np.insert(arcs, (np.cumsum(counts) - counts)[leads_on], joints)
    counts[leads_on] += 1
    finals[part_of > 0] = NOT_FINAL
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    return Lattice(int(starts[-1]), offsets, arcs, finals)

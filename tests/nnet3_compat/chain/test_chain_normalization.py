"""Normalized examples beside Kaldi's.

``chain_normalization/examples.cegs`` are made up: supervisions of 8 frames with several ways of saying them, epsilons
and costs; ``normalization.fst`` is a bigram of their labels with costs. ``kaldi.cegs`` is what Kaldi's
nnet3-chain-normalize-egs made of them.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from kaldi_bridge.command import run
from kaldi_bridge.examples.chain_examples import CHAIN_EXAMPLE
from kaldi_bridge.fsts.fst import Fst
from kaldi_bridge.tables import SequentialReader
from nnet3_compat.commands.chainbin.nnet3_chain_normalize_egs import main as normalize_egs

FOLDER = Path(__file__).parent / "chain_normalization"
QUANTUM = 1 / 1024  # OpenFst's determinization rounds costs to multiples of this


def largest_difference(a: Fst, b: Fst) -> float:
    """Between the costs of the same labels in two deterministic acceptors without cycles; inf: not the same labels."""
    bounds = {(int(a.start), int(b.start)): (0.0, 0.0)}  # of pairs of states, of the differences on all ways there
    pairs, largest = list(bounds), 0.0
    for s, t in pairs:  # breadth first: all ways to a state have the same length
        low, high = bounds[s, t]
        x, y = ({int(arc["ilabel"]): arc for arc in fst.arcs_of(state)} for fst, state in ((a, s), (b, t)))
        final = a.finals[s] < np.inf
        if x.keys() != y.keys() or final != (b.finals[t] < np.inf):
            return float("inf")
        if final:
            last = float(a.finals[s]) - float(b.finals[t])
            largest = max(largest, abs(low + last), abs(high + last))
        for label, arc in x.items():
            pair = (int(arc["nextstate"]), int(y[label]["nextstate"]))
            step = float(arc["weight"]) - float(y[label]["weight"])
            if pair not in bounds:
                pairs.append(pair)
            before = bounds.get(pair, (np.inf, -np.inf))
            bounds[pair] = (min(before[0], low + step), max(before[1], high + step))
    return largest


def test_the_labels_and_costs_of_all_paths_are_kaldis(tmp_path: Path) -> None:
    """The rest of the examples is the same, the order of states and arcs is not."""
    out = tmp_path / "out.cegs"
    words = [f"{FOLDER}/normalization.fst", f"ark:{FOLDER}/examples.cegs", f"ark:{out}"]
    assert run(normalize_egs, words) == 0
    with (
        SequentialReader(f"ark:{out}", CHAIN_EXAMPLE) as ours,
        SequentialReader(f"ark:{FOLDER}/kaldi.cegs", CHAIN_EXAMPLE) as kaldis,
    ):
        pairs = list(zip(ours, kaldis, strict=True))
    assert len(pairs) == 4
    for (key, our), (their_key, their) in pairs:
        assert key == their_key
        assert np.array_equal(our.inputs[0].features, their.inputs[0].features)
        mine, other = our.outputs[0].supervision, their.outputs[0].supervision
        assert (mine.weight, mine.frames_per_sequence, mine.label_dim) == (
            other.weight,
            other.frames_per_sequence,
            other.label_dim,
        )
        assert mine.fst is not None and other.fst is not None
        assert mine.fst.num_states <= other.fst.num_states  # costs that differ by 1e-6 keep states apart in Kaldi
        assert largest_difference(mine.fst, other.fst) <= 2 * QUANTUM

"""HMM-GMM training beside kaldi_hmm_gmm (Kaldi's code, called frame by frame), and how large a tree can be built.

In CPU time, on one thread.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import time
from collections.abc import Callable

import kaldi_hmm_gmm
import numpy as np

from kaldi_bridge.gmm.acoustic_model import AcousticModel
from kaldi_bridge.gmm.model import Mixtures
from kaldi_bridge.gmm.statistics import Accumulator
from kaldi_bridge.hmm.topology import HmmState, Topology
from kaldi_bridge.hmm.tree import make_transition_model
from kaldi_bridge.lang.directory import Root
from kaldi_bridge.tree_building.build import build_tree
from kaldi_bridge.tree_building.flat_trees import monophone_tree
from kaldi_bridge.tree_building.maps import leaves
from kaldi_bridge.tree_building.phone_clusters import phone_questions
from kaldi_bridge.tree_building.questions import Questions
from kaldi_bridge.tree_building.statistics import TreeStatistics

DIM, PHONES, GAUSSIANS = 39, 40, 3000
TREE_EVENTS, TREE_LEAVES = 120_000, 4000


def seconds(function: Callable[[], object]) -> float:
    start = time.process_time()
    function()
    return time.process_time() - start


def random_model(random: np.random.Generator) -> AcousticModel:
    states = [HmmState(i, i, [(i, 0.75), (i + 1, 0.25)]) for i in range(3)]
    topology = Topology([[*states, HmmState()]], dict.fromkeys(range(1, PHONES + 1), 0))
    tree = monophone_tree([[phone] for phone in topology.phones], topology)
    each = GAUSSIANS // tree.num_pdfs
    shape = (each * tree.num_pdfs, DIM)
    offsets = np.arange(tree.num_pdfs + 1) * each
    means, variances = random.normal(0, 3, shape), random.uniform(0.5, 2, shape)
    mixtures = Mixtures.of_moments(offsets, np.full(shape[0], 1 / each), means, variances)
    return AcousticModel(make_transition_model(tree, topology), mixtures)


def native(mixtures: Mixtures) -> kaldi_hmm_gmm.AmDiagGmm:
    model = kaldi_hmm_gmm.AmDiagGmm()
    for begin, end in zip(mixtures.offsets[:-1], mixtures.offsets[1:], strict=True):
        gmm = kaldi_hmm_gmm.DiagGmm(int(end - begin), mixtures.dim)
        gmm.set_weights(mixtures.weights[begin:end])
        gmm.set_invvars_and_means(mixtures.inverse_variances[begin:end], mixtures.means[begin:end].astype(np.float32))
        gmm.compute_gconsts()
        model.add_pdf(gmm)
    return model


def likelihoods_and_statistics(random: np.random.Generator) -> None:
    model = random_model(random)
    theirs = native(model.mixtures)
    feats = random.normal(0, 3, (20_000, DIM)).astype(np.float32)
    ids = random.integers(1, model.transitions.num_transition_ids + 1, len(feats))
    pdfs = model.transitions.id_to_pdf[ids].tolist()
    some = feats[:200]

    def our_likelihoods() -> None:
        for begin in range(0, 2000, 500):
            model.mixtures.log_likelihoods(feats[begin : begin + 500])

    def their_likelihoods() -> None:
        for frame in some:
            for pdf in range(model.mixtures.num_pdfs):
                theirs.log_likelihood(pdf, frame)

    def our_statistics() -> None:
        accumulator = Accumulator(model)
        accumulator.add(feats, ids)
        accumulator.result()

    def their_statistics() -> None:
        accumulator = kaldi_hmm_gmm.AccumAmDiagGmm()
        accumulator.init(theirs, 15)
        for pdf, frame in zip(pdfs, feats, strict=True):
            accumulator.accumulate_for_gmm(theirs, frame, pdf, 1.0)

    print(f"{model.mixtures.num_pdfs} pdfs, {model.mixtures.num_gaussians} Gaussians of dimension {DIM}; frames/s")
    print(f"{'':<44} {'ours':>10} {'kaldi_hmm_gmm':>14} {'ratio':>7}")
    for name, ours, our_frames, others, their_frames in (
        ("log-likelihoods of all pdfs", our_likelihoods, 2000, their_likelihoods, len(some)),
        ("statistics of aligned frames", our_statistics, len(feats), their_statistics, len(feats)),
    ):
        our_rate, their_rate = our_frames / seconds(ours), their_frames / seconds(others)
        print(f"{name:<44} {our_rate:>10.0f} {their_rate:>14.0f} {our_rate / their_rate:>6.1f}x")


def tree_of_many_events(random: np.random.Generator) -> None:
    """As 100 hours have them: most triphones of a language, each a few hundred frames."""
    phones = 4 * PHONES
    events = np.column_stack([random.integers(0, 3, TREE_EVENTS), random.integers(1, phones + 1, (TREE_EVENTS, 3))])
    events = np.unique(events, axis=0).astype(np.int32)
    voices = random.normal(0, 2, (4, phones + 1, DIM))
    means = voices[0][events[:, 2]] + 0.5 * voices[1][events[:, 1]] + 0.5 * voices[2][events[:, 3]]
    means += voices[3][events[:, 0]]
    counts = random.integers(50, 500, (len(events), 1)).astype(float)
    moments = np.concatenate([counts, counts * means, counts * (means**2 + 1)], axis=1)
    statistics = TreeStatistics(events, moments)
    states = [HmmState(i, i, [(i, 0.75), (i + 1, 0.25)]) for i in range(3)]
    topology = Topology([[*states, HmmState()]], dict.fromkeys(range(1, phones + 1), 0))
    roots = [Root(True, True, list(range(first, first + 4))) for first in range(1, phones + 1, 4)]
    sets = [root.phones for root in roots]
    found: list[list[int]] = []
    asked = seconds(lambda: found.extend(phone_questions(statistics, sets)))
    questions = Questions.for_phones(found, topology)
    trees = []
    built = seconds(lambda: trees.append(build_tree(statistics, roots, questions, topology, max_leaves=TREE_LEAVES)))
    print(
        f"tree of {len(events)} events: {len(found)} questions in {asked:.1f} s, "
        f"{len(leaves(trees[0]))} leaves in {built:.1f} s"
    )


def main() -> None:
    random = np.random.default_rng(0)
    likelihoods_and_statistics(random)
    tree_of_many_events(random)


if __name__ == "__main__":
    main()

"""Gaussian mixtures: against kaldi_hmm_gmm, which is Kaldi's own code, and against Kaldi's files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import kaldi_hmm_gmm
import numpy as np
import pytest

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.extension import _csrc
from kaldi_bridge.fsts.fst import Fst
from kaldi_bridge.gmm.acoustic_model import AcousticModel
from kaldi_bridge.gmm.equal_alignment import equal_alignment
from kaldi_bridge.gmm.estimation import EstimationOptions, MixUpOptions, estimate, fit, mixed_up, split_targets
from kaldi_bridge.gmm.initial import all_alike, of_tree_statistics
from kaldi_bridge.gmm.model import Mixtures
from kaldi_bridge.gmm.occupancy import read_occupancy, write_occupancy
from kaldi_bridge.gmm.statistics import Accumulator, sum_files, write_statistics
from kaldi_bridge.graphs.transition_costs import transition_costs, with_costs
from kaldi_bridge.hmm.topology import HmmState, Topology
from kaldi_bridge.hmm.tree import ContextDependency, make_transition_model
from kaldi_bridge.tree_building.flat_trees import monophone_tree
from kaldi_bridge.tree_building.statistics import TreeStatistics

RNG = np.random.default_rng(0)
DIM, PDFS = 4, 6
TOPOLOGY = Topology(
    [[HmmState(i, i, [(i, 0.75), (i + 1, 0.25)]) for i in range(3)] + [HmmState()]], dict.fromkeys((1, 2), 0)
)
TREE = monophone_tree([[1], [2]], TOPOLOGY)


def random_mixtures(sizes: list[int]) -> Mixtures:
    offsets = np.concatenate([[0], np.cumsum(sizes)])
    weights = np.concatenate([RNG.dirichlet(np.full(n, 5.0)) for n in sizes])
    shape = (offsets[-1], DIM)
    return Mixtures.of_moments(offsets, weights, RNG.normal(0, 2, shape), RNG.uniform(0.5, 2, shape))


def random_model(sizes: list[int]) -> AcousticModel:
    return AcousticModel(make_transition_model(TREE, TOPOLOGY), random_mixtures(sizes))


def natives(mixtures: Mixtures) -> Any:
    """The same as kaldi_hmm_gmm has them."""
    model = kaldi_hmm_gmm.AmDiagGmm()
    for begin, end in zip(mixtures.offsets[:-1], mixtures.offsets[1:], strict=True):
        gmm = kaldi_hmm_gmm.DiagGmm(int(end - begin), mixtures.dim)
        gmm.set_weights(mixtures.weights[begin:end])
        gmm.set_invvars_and_means(mixtures.inverse_variances[begin:end], mixtures.means[begin:end].astype(np.float32))
        gmm.compute_gconsts()
        model.add_pdf(gmm)
    return model


def alignment_and_feats(model: AcousticModel, frames: int) -> tuple[np.ndarray, np.ndarray]:
    ids = RNG.integers(1, model.transitions.num_transition_ids + 1, frames)
    return ids, RNG.normal(0, 2, (frames, DIM)).astype(np.float32)


SIZES = [1, 3, 2, 5, 1, 4]


@pytest.mark.parametrize("frames", [0, 1, 15, 16, 37])
def test_mixtures_are_summed_for_any_number_of_frames(frames: int) -> None:
    """To 1e-6 relative; Gaussians without weight add nothing, what is not a number stays so."""
    scores = RNG.uniform(-200, 80, (sum(SIZES), frames)).astype(np.float32)
    scores[1] = -np.inf
    scores[-1, frames // 2 :] = np.nan
    starts = np.cumsum([0, *SIZES[:-1]])
    with np.errstate(invalid="ignore"):
        expected = np.logaddexp.reduceat(scores.astype(np.float64), starts, axis=0).T
    np.testing.assert_allclose(_csrc.mixtures_summed(scores, SIZES), expected, rtol=1e-6, atol=1e-6)
    with pytest.raises(ValueError, match="do not fit together"):
        _csrc.mixtures_summed(scores, SIZES[1:])


def test_a_mixture_without_gaussians() -> None:
    with pytest.raises(KaldiError, match="no Gaussians"):
        Mixtures(np.array([0, 0, 1]), np.ones(1), np.zeros((1, DIM)), np.ones((1, DIM)))


def test_log_likelihoods_are_kaldis() -> None:
    """To 1e-5 relative; also of some pdfs only, in any order."""
    mixtures = random_mixtures(SIZES)
    native = natives(mixtures)
    feats = RNG.normal(0, 2, (20, DIM)).astype(np.float32)
    expected = np.array([[native.log_likelihood(p, frame) for p in range(PDFS)] for frame in feats])
    np.testing.assert_allclose(mixtures.log_likelihoods(feats), expected, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(mixtures.log_likelihoods(feats, [4, 1]), expected[:, [4, 1]], rtol=1e-5, atol=1e-5)
    with pytest.raises(KaldiError, match="dimension 3"):
        mixtures.log_likelihoods(feats[:, :3])


def test_statistics_and_update_are_kaldis(tmp_path: Path) -> None:
    """Occupancies, sums and what is estimated of them: to 1e-4 relative. Gaussians that are too rare go."""
    model = random_model(SIZES)
    native = natives(model.mixtures)
    ids, feats = alignment_and_feats(model, 400)
    accumulator = Accumulator(model)
    for part in np.array_split(np.arange(400), 3):
        accumulator.add("a", feats[part], ids[part])
    statistics = accumulator.result()
    accs = kaldi_hmm_gmm.AccumAmDiagGmm()
    accs.init(native, 15)
    total = sum(
        accs.accumulate_for_gmm(native, frame, int(model.transitions.id_to_pdf[tid]), 1.0)
        for tid, frame in zip(ids, feats, strict=True)
    )
    assert statistics.frames == 400 and statistics.log_likelihood == pytest.approx(total, rel=1e-5)
    assert statistics.transitions.sum() == 400

    options = EstimationOptions(min_gaussian_occupancy=12.0)
    config = kaldi_hmm_gmm.MleDiagGmmOptions()
    config.min_gaussian_occupancy = 12.0
    before = fit(model.mixtures, statistics)
    updated = estimate(model.mixtures, statistics, options)
    gain, count = kaldi_hmm_gmm.mle_am_diag_gmm_update(config, accs, 15, native)
    assert updated.num_gaussians == native.num_gauss < model.mixtures.num_gaussians
    for pdf in range(PDFS):
        own = slice(updated.offsets[pdf], updated.offsets[pdf + 1])
        theirs = native.get_pdf(pdf)
        np.testing.assert_allclose(updated.weights[own], theirs.weights, rtol=1e-4)
        np.testing.assert_allclose(updated.means[own], theirs.means, rtol=1e-3, atol=1e-4)
        np.testing.assert_allclose(updated.variances[own], theirs.vars, rtol=1e-3)
    kept = estimate(model.mixtures, statistics, EstimationOptions(0.0, 0.0))
    assert fit(kept, statistics) > before and count == pytest.approx(400)

    write_statistics(str(tmp_path / "acc"), statistics)
    again = sum_files([str(tmp_path / "acc")] * 2)
    np.testing.assert_allclose(again.sums, 2 * statistics.sums, rtol=1e-6)
    assert again.frames == 800 and again.offsets.tolist() == statistics.offsets.tolist()
    write_statistics(str(tmp_path / "other"), Accumulator(random_model([1] * 6)).result())
    with pytest.raises(KaldiError, match="other: statistics of models of different sizes"):
        sum_files([str(tmp_path / "acc"), str(tmp_path / "other")])


def test_only_what_is_to_be_updated() -> None:
    model = random_model(SIZES)
    ids, feats = alignment_and_feats(model, 400)
    accumulator = Accumulator(model)
    accumulator.add("a", feats, ids)
    old, statistics = model.mixtures, accumulator.result()
    keep = EstimationOptions(0.0, 0.0)
    means = estimate(old, statistics, keep, "m")
    np.testing.assert_allclose(means.variances, old.variances, rtol=1e-6)
    np.testing.assert_allclose(means.weights, old.weights, rtol=1e-6)
    assert not np.allclose(means.means, old.means)
    for update in ("v", "w", "vw", "mvw"):
        assert fit(estimate(old, statistics, keep, update), statistics) > fit(old, statistics)


def test_bad_utterances_are_not_added() -> None:
    model = random_model(SIZES)
    ids, feats = alignment_and_feats(model, 10)
    accumulator = Accumulator(model)
    bad = feats.copy()
    bad[3, 1] = np.nan
    with pytest.raises(KaldiError, match="not a number"):
        accumulator.add("a", bad, ids)
    with pytest.raises(KaldiError, match="Alignments has wrong size 10 vs. 9"):
        accumulator.add("a", feats[:9], ids)
    with pytest.raises(KaldiError, match="is no transition-id of the model"):
        accumulator.add("a", feats, ids + 1000)
    assert accumulator.result().frames == 0 and accumulator.result().transitions.sum() == 0


@pytest.mark.parametrize("target", [6, 10, 17, 60])
def test_splitting_is_kaldis(target: int) -> None:
    """As many Gaussians for each pdf; the sum of what they stand for stays."""
    occupancy = np.array([10, 500, 2000, 90, 0, 1000], np.float32)
    mixtures = random_mixtures([1] * 6)
    native = natives(mixtures)
    native.split_by_count(occupancy, target, 0.01, 0.25, 20.0)
    made = mixed_up(mixtures, occupancy, MixUpOptions(mix_up=target, power=0.25))
    assert made.sizes.tolist() == [native.get_pdf(p).num_gauss for p in range(PDFS)]
    assert split_targets(occupancy, MixUpOptions(power=0.25), target).tolist() == made.sizes.tolist()
    np.testing.assert_allclose(np.add.reduceat(made.weights, made.offsets[:-1]), 1.0, rtol=1e-6)
    means = np.stack(
        [np.average(made.means[a:b], axis=0) for a, b in zip(made.offsets, made.offsets[1:], strict=False)]
    )
    np.testing.assert_allclose(means, mixtures.means, atol=0.05)


def test_boosted_and_perturbed() -> None:
    mixtures = random_mixtures(SIZES)
    feats = RNG.normal(size=(5, DIM)).astype(np.float32)
    gain = mixtures.boosted(np.array([1]), 2.0).log_likelihoods(feats) - mixtures.log_likelihoods(feats)
    np.testing.assert_allclose(gain, np.tile(np.log(2) * (np.arange(PDFS) == 1), (5, 1)), atol=1e-5)
    moved = (mixtures.perturbed(0.1).means - mixtures.means) / np.sqrt(mixtures.variances)
    assert 0.05 < moved.std() < 0.2


@pytest.mark.parametrize("binary", [True, False])
def test_model_files(tmp_path: Path, binary: bool) -> None:
    model = random_model(SIZES)
    model.write(str(tmp_path / "mdl"), binary)
    again = AcousticModel.read(str(tmp_path / "mdl"))
    assert again.mixtures.offsets.tolist() == model.mixtures.offsets.tolist()
    for name in ("weights", "constants", "scaled_means", "inverse_variances"):
        np.testing.assert_allclose(getattr(again.mixtures, name), getattr(model.mixtures, name), rtol=1e-5)
    np.testing.assert_array_equal(again.transitions.tuples, model.transitions.tuples)


def test_kaldis_model_file(reference: Path, tmp_path: Path) -> None:
    """Written again it is the same file, but for the last bits of constants, which Kaldi computes when it reads it."""
    path = reference / "fsdd/tri1/final.mdl"
    model = AcousticModel.read(str(path))
    assert (model.mixtures.num_pdfs, model.mixtures.num_gaussians, model.mixtures.dim) == (160, 3014, 39)
    model.write(str(tmp_path / "mdl"))
    ours, kaldis = (np.frombuffer(p.read_bytes(), np.uint8).astype(int) for p in (tmp_path / "mdl", path))
    assert len(ours) == len(kaldis) and (ours != kaldis).mean() < 0.005
    with pytest.raises(KaldiError, match="no GMM"):
        AcousticModel.read(str(reference / "fsdd/tdnnf/final.mdl"))


def test_first_models(tmp_path: Path) -> None:
    assert TREE.num_pdfs == PDFS
    alike = all_alike(PDFS, np.arange(4.0), np.ones(4))
    np.testing.assert_allclose(alike.means[5], np.arange(4.0))
    with pytest.raises(KaldiError, match="never varies"):
        all_alike(PDFS, np.zeros(2), np.array([1.0, 0.0]))
    events = np.array([[c, p] for c in range(3) for p in (1,)], np.int32)  # phone 2 does not occur
    moments = np.array([[100.0, 100 * m, 100 * (m * m + 4)] for m in (1.0, 2.0, 3.0)])
    mixtures, counts = of_tree_statistics(ContextDependency(1, 0, TREE.to_pdf), TreeStatistics(events, moments))
    assert counts.tolist() == [100, 100, 100, 0, 0, 0]
    np.testing.assert_allclose(mixtures.means[:, 0], [1, 2, 3, 2, 2, 2])
    np.testing.assert_allclose(mixtures.variances[:3, 0], 4.0, rtol=1e-6)
    write_occupancy(str(tmp_path / "occs"), counts, binary=False)
    assert read_occupancy(str(tmp_path / "occs")).tolist() == counts.tolist()


def hmm_graph() -> tuple[AcousticModel, Fst]:
    """A graph of phone 1, then 2: each state's forward transition, then its self-loop."""
    model = random_model(SIZES)
    forward = [model.transitions.transition_ids(s)[1] for s in range(1, 7)]
    loops = [model.transitions.self_loop_of(s) for s in range(1, 7)]
    arcs = [(s, f, 0, 0.0, s + 1) for s, f in enumerate(forward)]
    arcs += [(s + 1, loop, 0, 0.0, s + 1) for s, loop in enumerate(loops)]
    return model, Fst.from_arcs(0, {6: 0.0}, arcs)


def test_equal_alignment() -> None:
    """Every state as long as the others, to a frame; the same whenever it is made."""
    model, graph = hmm_graph()
    alignment = equal_alignment(graph, 20, "utterance")
    assert np.bincount(model.transitions.id_to_state[alignment])[1:].tolist() == [4, 4, 3, 3, 3, 3]
    assert equal_alignment(graph, 20, "utterance").tolist() == alignment.tolist()
    with pytest.raises(KaldiError, match="5 frames, but the words need 6"):
        equal_alignment(graph, 5, "utterance")


def test_transition_costs() -> None:
    """With one scale for all, the costs of transitions; else leaving a state has the scale of staying."""
    model, graph = hmm_graph()
    probs = -model.transitions.log_probs
    np.testing.assert_allclose(transition_costs(model.transitions, 0.5, 0.5)[1:], 0.5 * probs[1:], rtol=1e-6)
    costs = transition_costs(model.transitions, 1.0, 0.1)  # here nothing is to be chosen after leaving
    np.testing.assert_allclose(costs[1:], 0.1 * probs[1:], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(with_costs(graph, costs).arcs["weight"], costs[graph.arcs["ilabel"]])
    with pytest.raises(KaldiError, match="transition-ids"):
        with_costs(graph, costs[:3])

"""Mixtures to begin with: of one Gaussian each."""

from __future__ import annotations

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.gmm.model import Mixtures
from kaldi_bridge.hmm.tree import ContextDependency
from kaldi_bridge.tree_building.maps import leaves_of
from kaldi_bridge.tree_building.statistics import TreeStatistics


def all_alike(num_pdfs: int, mean: np.ndarray, variance: np.ndarray) -> Mixtures:
    """The same Gaussian for every pdf, of ``mean`` and ``variance`` [dim] (gmm-init-mono)."""
    if not (variance > 0).all():
        raise KaldiError("a feature never varies: its variance is 0")
    return _one_each(np.tile(mean, (num_pdfs, 1)), np.tile(1.0 / variance, (num_pdfs, 1)))


def of_tree_statistics(
    tree: ContextDependency, statistics: TreeStatistics, variance_floor: float = 0.01
) -> tuple[Mixtures, np.ndarray]:
    """Each pdf's own Gaussian, that of all frames where it has none, and its number of frames [pdfs] (gmm-init-model).

    Raises KaldiError when the tree has no pdf for some of the statistics.
    """
    leaf = leaves_of(tree.to_pdf, statistics)
    moments = np.zeros((tree.num_pdfs, statistics.moments.shape[1]))
    np.add.at(moments, leaf, statistics.moments)
    counts = moments[:, 0].copy()
    for pdf in np.flatnonzero(counts == 0).tolist():
        log.warning(f"Tree has pdf-id {pdf} with no stats")
    few = np.flatnonzero((counts > 0) & (counts < 100))
    if len(few):
        log.warning(f"Very small counts, below 100 frames, for {len(few)} pdfs: {few[:20].tolist()}")
    moments[counts == 0] = moments.sum(axis=0)
    return _one_each(*_gaussian(moments, variance_floor)), counts


def of_old_model(
    tree: ContextDependency,
    statistics: TreeStatistics,
    old_tree: ContextDependency,
    old: Mixtures,
    variance_floor: float = 0.01,
) -> Mixtures:
    """For each pdf the mixture of the old tree's pdf that most of its frames belong to (gmm-init-model, six arguments).

    A pdf without frames gets a Gaussian of all frames. Raises KaldiError when the old tree's windows are wider, or it
    is of another model.
    """
    shift = tree.central - old_tree.central
    if shift < 0 or shift + old_tree.width > tree.width:
        raise KaldiError("the old tree has wider context windows: its pdfs are not known from these statistics")
    if old_tree.num_pdfs > old.num_pdfs:
        raise KaldiError(f"the old tree has {old_tree.num_pdfs} pdfs, the old model {old.num_pdfs}")
    columns = np.concatenate([[0], 1 + shift + np.arange(old_tree.width)])
    narrow = TreeStatistics(statistics.events[:, columns], statistics.moments)
    counts = np.zeros((tree.num_pdfs, old.num_pdfs))
    np.add.at(
        counts, (leaves_of(tree.to_pdf, statistics), leaves_of(old_tree.to_pdf, narrow)), statistics.moments[:, 0]
    )
    most = np.where(counts.max(axis=1) > 0, counts.argmax(axis=1), old.num_pdfs)
    for pdf in np.flatnonzero(most == old.num_pdfs).tolist():
        log.warning(f"Leaf {pdf} of new tree being initialized with globally averaged stats.")
    average = _one_each(*_gaussian(statistics.moments.sum(axis=0, keepdims=True), variance_floor))
    everything = Mixtures(
        np.append(old.offsets, old.num_gaussians + 1),
        np.append(old.weights, average.weights),
        np.vstack([old.scaled_means, average.scaled_means]),
        np.vstack([old.inverse_variances, average.inverse_variances]),
    )
    own = everything.gaussians_of(most)
    return Mixtures(
        np.concatenate([[0], np.cumsum(everything.sizes[most])]),
        everything.weights[own],
        everything.scaled_means[own],
        everything.inverse_variances[own],
    )


def _gaussian(moments: np.ndarray, variance_floor: float) -> tuple[np.ndarray, np.ndarray]:
    """Means and inverse variances [n, dim] of moments [n, 1 + 2 dim], in single precision as in Kaldi."""
    counts, sums, squares = np.split(moments.astype(np.float32), [1, (moments.shape[1] + 1) // 2], axis=1)
    scale = np.float32(1) / counts
    means = sums * scale
    return means, np.float32(1) / np.maximum(squares * scale - means * means, np.float32(variance_floor))


def _one_each(means: np.ndarray, inverse_variances: np.ndarray) -> Mixtures:
    means, inverse_variances = means.astype(np.float32), inverse_variances.astype(np.float32)
    return Mixtures(np.arange(len(means) + 1), np.ones(len(means)), means * inverse_variances, inverse_variances)

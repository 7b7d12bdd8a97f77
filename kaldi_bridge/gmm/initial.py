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
    return _one_each(np.tile(mean, (num_pdfs, 1)), np.tile(variance, (num_pdfs, 1)))


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
    dim = (moments.shape[1] - 1) // 2
    means = moments[:, 1 : 1 + dim] / moments[:, :1]
    variances = np.maximum(moments[:, 1 + dim :] / moments[:, :1] - means**2, variance_floor)
    return _one_each(means, variances), counts


def _one_each(means: np.ndarray, variances: np.ndarray) -> Mixtures:
    return Mixtures.of_moments(np.arange(len(means) + 1), np.ones(len(means)), means, variances)

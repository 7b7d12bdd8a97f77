"""An extractor from a data directory: transform, background model, extractor, one after the other.

What Kaldi's steps/online/nnet2/{get_pca_transform,train_diag_ubm,train_ivector_extractor}.sh do, without
Gaussian selection for the background model, as likelihoods of all Gaussians are one matrix product.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.c_random import CRandom
from kaldi_bridge.command import option
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.gmm.estimation import EstimationOptions, maximize
from kaldi_bridge.gmm.full_model import FullMixture
from kaldi_bridge.gmm.global_initial import sample_frames
from kaldi_bridge.gmm.global_initial import train as train_in_memory
from kaldi_bridge.gmm.global_statistics import GlobalStatistics
from kaldi_bridge.gmm.model import Mixtures
from kaldi_bridge.gmm.pruned_posteriors import best_posteriors
from kaldi_bridge.ivectors.accumulation import Accumulator
from kaldi_bridge.ivectors.model import ExtractorModel, read_model, write_model
from kaldi_bridge.ivectors.reestimation import ReestimationOptions, explained_variance, reestimate
from kaldi_bridge.ivectors.training_features import TrainingFeatures
from kaldi_bridge.tables.posterior import SparsePosterior
from kaldi_bridge.transforms.pca import PcaStatistics


@dataclass
class PcaOptions:
    """Those of get_pca_transform.sh."""

    dim: int = option(40, "Dimension of features after PCA")
    max_utts: int = option(5000, "Most utterances that PCA is estimated of")
    pca_subsample: int = option(5, "PCA takes every so many frames")


@dataclass
class BackgroundOptions:
    """Those of train_diag_ubm.sh."""

    num_frames: int = option(500000, "Most frames that are kept in memory to initialize the background model")
    num_iters_init: int = option(20, "Iterations of training in memory")
    initial_gauss_proportion: float = option(0.5, "With which part of the Gaussians to start in memory")
    ubm_num_iters: int = option(4, "Iterations of training the background model on all data")
    min_gaussian_weight: float = option(0.0001, "Gaussians of smaller weight are removed at the end")
    remove_low_count_gaussians: bool = option(True, "false: the number of Gaussians stays")


@dataclass
class ExtractorOptions:
    """Those of train_ivector_extractor.sh."""

    ivector_dim: int = option(100, "Dimension of i-vectors")
    num_iters: int = option(10, "Iterations of training the extractor")
    num_gselect: int = option(5, "Most Gaussians that a frame belongs to")
    posterior_scale: float = option(0.1, "Scale of posteriors, as neighbouring frames tell the same")
    min_post: float = option(0.025, "Least posterior with which a frame belongs to a Gaussian")
    subsample: int = option(2, "Models are trained on every so many frames")
    online_cmvn_iextractor: bool = option(False, "The extractor, too, is trained on normalized features")


def principal_components(features: TrainingFeatures, options: PcaOptions) -> np.ndarray:
    """The affine transform float32 [dim, spliced dim + 1] to features of mean 0 and variance 1."""
    statistics = PcaStatistics()
    for _, spliced in features.spliced_sample(options.max_utts, options.pca_subsample):
        statistics.add(spliced)
    matrix = statistics.transform(options.dim, normalize_variance=True, normalize_mean=True)
    return matrix[: options.dim]


def background_model(
    features: TrainingFeatures, num_gaussians: int, options: BackgroundOptions, subsample: int
) -> Mixtures:
    """Raises KaldiError when there is too little data."""
    initial = int(options.initial_gauss_proportion * num_gaussians)
    if initial <= 0:
        raise KaldiError(f"--initial-gauss-proportion={options.initial_gauss_proportion:g} leaves no Gaussian")
    random = CRandom(0)
    sample = sample_frames(features.normalized(), options.num_frames, random)
    estimation = EstimationOptions(min_gaussian_weight=options.min_gaussian_weight)
    mixture = train_in_memory(sample, num_gaussians, initial, options.num_iters_init, estimation, random)
    for iteration in range(options.ubm_num_iters):
        statistics = GlobalStatistics(mixture.num_gaussians, mixture.dim)
        for _, feats in features.normalized(subsample):
            statistics.accumulate(mixture, feats)
        average = statistics.log_likelihood / max(statistics.frames, 1.0)
        log.info(f"Background model, pass {iteration}: likelihood per frame {average:g}, {statistics.frames:g} frames")
        is_last = iteration == options.ubm_num_iters - 1
        removes = options.remove_low_count_gaussians and is_last
        mixture = maximize(mixture, statistics, replace(estimation, remove_low_count_gaussians=removes), "mvw").mixtures
    return mixture


class ExtractorTraining:
    """Iterations ``first`` to ``num_iters`` of an extractor: ``0.ie``, ``1.ie`` ... in a directory, the last stays."""

    def __init__(self, features: TrainingFeatures, mixture: Mixtures, options: ExtractorOptions) -> None:
        self._features, self._mixture, self._options = features, mixture, options
        self._posteriors: dict[str, SparsePosterior] = {}

    def run(self, directory: Path, first: int = 0) -> Path:
        """The last file. Raises KaldiError when there is too little data, or ``first`` is not in the directory."""
        if not first:
            dim = self._options.ivector_dim
            model = ExtractorModel.initial(FullMixture.of_diagonal(self._mixture), dim, False, CRandom(1))
            write_model(str(directory / "0.ie"), model)
        current = directory / f"{first}.ie"
        for iteration in range(first, self._options.num_iters):
            model = self._iteration(read_model(str(current)), iteration)
            following = directory / f"{iteration + 1}.ie"
            write_model(str(following), model)
            current.unlink()
            current = following
        return current

    def _iteration(self, model: ExtractorModel, iteration: int) -> ExtractorModel:
        accumulator = Accumulator(model)
        for feats, posterior in self._utterances():
            accumulator.add(feats, posterior)
        log.info(f"Updating the extractor, pass {iteration}")
        statistics = accumulator.result()
        updated = reestimate(model, statistics, ReestimationOptions())
        explained = explained_variance(updated, statistics.gamma)
        log.info(f"The proportion of within-Gaussian variance explained by the iVectors is {explained:g}.")
        return updated

    def _utterances(self) -> Iterator[tuple[np.ndarray, SparsePosterior]]:
        options = self._options
        for key, normalized, feats in self._features.pairs(options.subsample):
            if key not in self._posteriors:
                self._posteriors[key] = self._posterior(normalized)
            yield normalized if options.online_cmvn_iextractor else feats, self._posteriors[key]

    def _posterior(self, feats: np.ndarray) -> SparsePosterior:
        scores = self._mixture.gaussian_log_likelihoods(feats, slice(None)).T
        posterior, _ = best_posteriors(scores, self._options.num_gselect, self._options.min_post)
        posterior.weights *= np.float32(self._options.posterior_scale * self._options.subsample)
        return posterior

"""A mixture from features alone, by expectation maximization in memory (gmmbin/gmm-global-init-from-feats.cc)."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.c_random import CRandom
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.gmm.estimation import EstimationOptions, maximize
from kaldi_bridge.gmm.global_statistics import GlobalStatistics
from kaldi_bridge.gmm.model import Mixtures
from kaldi_bridge.gmm.splitting import split

FRAMES_PER_GAUSSIAN = 10  # at least so many are needed
PERTURB_FACTOR = 0.1


def sample_frames(utterances: Iterable[tuple[str, np.ndarray]], num_frames: int, random: CRandom) -> np.ndarray:
    """``num_frames`` of all frames, float32 [num_frames, dim], each as likely as any other; all where there are fewer.

    Raises KaldiError when there are none, or of different dimensions.
    """
    sample, seen = np.zeros((0, 0), np.float32), 0
    for utterance, feats in utterances:
        if not len(feats):
            continue
        if not seen:
            sample = np.zeros((num_frames, feats.shape[1]), np.float32)
        if feats.shape[1] != sample.shape[1]:
            raise KaldiError(
                f"Features have inconsistent dims {feats.shape[1]} vs. {sample.shape[1]} (current utt is) {utterance}"
            )
        kept = min(len(feats), max(num_frames - seen, 0))
        sample[seen : seen + kept] = feats[:kept]
        for count, frame in enumerate(feats[kept:], seen + kept + 1):
            if random.with_prob(np.float32(num_frames) / np.float32(count)):
                sample[random.rand_int(0, num_frames - 1)] = frame
        seen += len(feats)
    if not seen:
        raise KaldiError("no features were read")
    if seen < num_frames:
        log.warning(f"Number of frames read {seen} was less than target number {num_frames}, using all we read.")
        return sample[:seen]
    log.info(f"Kept {num_frames} out of {seen} input frames = {num_frames * 100.0 / seen:g}%.")
    return sample


def from_random_frames(feats: np.ndarray, num_gaussians: int, random: CRandom) -> Mixtures:
    """Gaussians with the variance of all features [frames, dim] around frames chosen at random.

    Raises KaldiError when there are too few frames, or all are alike.
    """
    if len(feats) < FRAMES_PER_GAUSSIAN * num_gaussians:
        raise KaldiError(
            f"Too few frames to train on: {len(feats)}, where {num_gaussians} Gaussians need "
            f"{FRAMES_PER_GAUSSIAN * num_gaussians}"
        )
    if not np.isfinite(feats).all():
        raise KaldiError("features that are infinite or not a number")
    values = feats.astype(np.float64)
    variance = (values**2).mean(axis=0) - values.mean(axis=0) ** 2
    if not (variance > 0).all():
        raise KaldiError(f"Features do not have positive variance: dimension {int(np.argmin(variance))} never varies")
    chosen: dict[int, None] = {}
    while len(chosen) < num_gaussians:
        chosen[random.rand_int(0, len(feats) - 1)] = None
    weights = np.full(num_gaussians, 1.0 / num_gaussians)
    variances = np.tile(variance, (num_gaussians, 1))
    return Mixtures.of_moments(np.array([0, num_gaussians]), weights, values[list(chosen)], variances)


def train(
    feats: np.ndarray,
    num_gaussians: int,
    num_initial: int,
    num_iterations: int,
    options: EstimationOptions,
    random: CRandom,
) -> Mixtures:
    """From ``num_initial`` Gaussians to ``num_gaussians``, in steps up to half of the iterations; logs likelihoods."""
    num_initial = num_initial if 0 < num_initial <= num_gaussians else num_gaussians
    log.info(f"Initializing GMM means from random frames to {num_initial} Gaussians.")
    mixture = from_random_frames(feats, num_initial, random)
    increment, size = (num_gaussians - num_initial) // max(num_iterations // 2, 1), num_initial
    for iteration in range(num_iterations):
        statistics = GlobalStatistics(mixture.num_gaussians, mixture.dim)
        likelihood, count = statistics.accumulate(mixture, feats)
        log.info(f"Likelihood per frame on iteration {iteration} was {likelihood / count:g} over {len(feats)} frames.")
        result = maximize(mixture, statistics, options, "mvw")
        mixture = result.mixtures
        log.info(
            f"Objective-function change on iteration {iteration} was {result.gain / result.count:g} over "
            f"{result.count:g} frames."
        )
        following = min(num_gaussians, size + increment)
        if following > mixture.num_gaussians:
            log.info(f"Splitting to {following} Gaussians.")
            mixture, size = split(mixture, following, PERTURB_FACTOR, random), following
    return mixture

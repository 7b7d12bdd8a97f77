"""Mixtures from their statistics by maximum likelihood, and more Gaussians (gmm/mle-diag-gmm.cc, am-diag-gmm.cc)."""

from __future__ import annotations

import heapq
from dataclasses import dataclass

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.c_random import CRandom
from kaldi_bridge.command import option
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.gmm.merging import merged
from kaldi_bridge.gmm.model import Mixtures
from kaldi_bridge.gmm.statistics import FLAGS, Statistics, flags_of


@dataclass
class EstimationOptions:
    """Kaldi's MleDiagGmmOptions."""

    min_gaussian_weight: float = option(1.0e-05, "Min Gaussian weight before we remove it.")
    min_gaussian_occupancy: float = option(10.0, "Minimum occupancy to update a Gaussian.")
    min_variance: float = option(0.001, "Variance floor (absolute variance).")
    remove_low_count_gaussians: bool = option(True, "If true, remove Gaussians that fall below the floors.")


@dataclass
class MixUpOptions:
    """How Gaussians are split, or merged."""

    mix_up: int = option(0, "Increase number of mixture components to this overall target.")
    mix_down: int = option(0, "If nonzero, merge mixture components to this target, before any mixing up.")
    min_count: float = option(20.0, "Minimum per-Gaussian count enforced while mixing up and down.")
    power: float = option(0.2, "Power to allocate Gaussians to states.")
    perturb_factor: float = option(0.01, "While mixing up, perturb means by standard deviation times this factor.")


def estimate(mixtures: Mixtures, statistics: Statistics, options: EstimationOptions, update: str = "mvw") -> Mixtures:
    """The mixtures that the statistics fit best; logs how much better they are. See ``maximize``."""
    result = maximize(mixtures, statistics, options, update)
    log.info(
        f"{result.floored_elements} variance elements floored in {result.floored_gaussians} Gaussians, "
        f"out of {mixtures.num_gaussians}"
    )
    log.info(
        f"GMM update: Overall {result.gain / max(result.count, 1e-30):g} objective function improvement per frame "
        f"over {max(result.count, 1e-30):g} frames"
    )
    if options.remove_low_count_gaussians:
        log.info(
            f"Removed {mixtures.num_gaussians - result.mixtures.num_gaussians} Gaussians due to counts < "
            f"--min-gaussian-occupancy={options.min_gaussian_occupancy:g} and --remove-low-count-gaussians=true"
        )
    return result.mixtures


@dataclass
class Maximization:
    """What an update gave: new mixtures, and by how much ``fit`` grew over ``count`` frames, before removals.

    ``low``: bool [gaussians], those that had too little data, whether removed or not.
    """

    mixtures: Mixtures
    gain: float
    count: float
    low: np.ndarray
    floored_elements: int
    floored_gaussians: int

    def warn(self, occupancy: np.ndarray, removed: bool) -> None:
        """Tells of each Gaussian of a single mixture that had too little data; ``occupancy`` is that of all."""
        kept_last = removed and self.low.all()
        for gaussian in np.flatnonzero(self.low).tolist():
            share = occupancy[gaussian] / self.count if self.count else 1.0 / len(occupancy)
            data = f"weight {share:f}, occupation count {occupancy[gaussian]:f}"
            if removed and not (kept_last and gaussian == len(occupancy) - 1):
                log.warning(f"Too little data - removing Gaussian ({data}, vector size {self.mixtures.dim})")
            else:
                why = " it is the last Gaussian" if removed else " remove-low-count-gaussians == false"
                log.warning(f"Gaussian {gaussian} has too little data but not removing it because{why} ({data})")


def maximize(mixtures: Mixtures, statistics: Statistics, options: EstimationOptions, update: str) -> Maximization:
    """The mixtures that the statistics fit best.

    Gaussians with too few frames are removed, but never the last of a pdf; that one keeps its mean and variance.
    ``update``: which of means, variances and weights. Raises KaldiError when the statistics are of another model.
    """
    if not np.array_equal(mixtures.offsets, statistics.offsets) or mixtures.dim != statistics.sums.shape[1]:
        raise KaldiError("the statistics are not of this model: other numbers of Gaussians or another dimension")
    if flags_of(update) & ~statistics.flags & ~FLAGS["t"]:
        raise KaldiError(f"the statistics lack what an update of {update} needs: see --update-flags of what made them")
    pdf = np.repeat(np.arange(mixtures.num_pdfs), mixtures.sizes)
    occupancy = statistics.occupancy
    of_pdf = statistics.pdf_occupancy[pdf]
    share = np.where(of_pdf > 0, occupancy / np.where(of_pdf > 0, of_pdf, 1.0), 1.0 / mixtures.sizes[pdf])
    enough = (occupancy > options.min_gaussian_occupancy) & (share > options.min_gaussian_weight)
    weights, means, variances = mixtures.weights.astype(np.float64), mixtures.means, mixtures.variances
    centre = statistics.sums[enough] / occupancy[enough, None]
    spread = statistics.squares[enough] / occupancy[enough, None] - centre**2
    if "m" in update:
        means[enough] = centre
    else:
        spread += (means[enough] - centre) ** 2
    if "v" in update:
        variances[enough] = np.maximum(spread, options.min_variance)
    removed = np.zeros(len(pdf), bool)
    if options.remove_low_count_gaussians:
        removed = ~enough
        removed[mixtures.offsets[1:] - 1] &= np.logical_or.reduceat(enough, mixtures.offsets[:-1])
    if "w" in update:
        kept_weights = np.where(removed, weights, np.maximum(share, options.min_gaussian_weight))
        weights = np.where(enough, share, kept_weights)
    updated = Mixtures.of_moments(mixtures.offsets, weights, means, variances)
    gain = fit(updated, statistics) - fit(mixtures, statistics)
    floored = spread < options.min_variance
    if options.remove_low_count_gaussians:
        updated = _subset(updated, ~removed)
    return Maximization(
        updated, gain, float(occupancy.sum()), ~enough, int(floored.sum()), int(floored.any(axis=1).sum())
    )


def fit(mixtures: Mixtures, statistics: Statistics) -> float:
    """The expected log-likelihood of the frames, each Gaussian's share of them as the statistics have it."""
    constants = mixtures.constants.astype(np.float64)
    with np.errstate(invalid="ignore"):
        of_constants = np.where(statistics.occupancy > 0, statistics.occupancy * constants, 0.0)
    linear = statistics.sums * mixtures.scaled_means - 0.5 * statistics.squares * mixtures.inverse_variances
    return float(of_constants.sum() + linear.sum())


def _subset(mixtures: Mixtures, kept: np.ndarray) -> Mixtures:
    """Without some Gaussians; the weights of a pdf's others are made to sum to 1 again where one is gone."""
    before = np.concatenate([[0], np.cumsum(kept)])
    offsets = before[mixtures.offsets]
    weights = mixtures.weights[kept].astype(np.float64)
    sizes = np.diff(offsets)
    shrunk = np.repeat(sizes < mixtures.sizes, sizes)
    sums = np.repeat(np.add.reduceat(weights, offsets[:-1]), sizes)
    weights[shrunk] /= sums[shrunk]
    return Mixtures(offsets, weights, mixtures.scaled_means[kept], mixtures.inverse_variances[kept])


def remixed(mixtures: Mixtures, occupancy: np.ndarray, options: MixUpOptions) -> Mixtures:
    """Mixed down, then up, as the options want it. Raises KaldiError for the occupancy of another number of pdfs."""
    if (options.mix_up or options.mix_down) and len(occupancy) != mixtures.num_pdfs:
        raise KaldiError(f"the occupancies are of {len(occupancy)} pdfs, the model has {mixtures.num_pdfs}")
    if options.mix_down:
        mixtures = mixed_down(mixtures, occupancy, options)
    return mixed_up(mixtures, occupancy, options) if options.mix_up else mixtures


def mixed_down(mixtures: Mixtures, occupancy: np.ndarray, options: MixUpOptions) -> Mixtures:
    """With Gaussians of each pdf merged until there are ``mix_down``, shared among pdfs as by ``mixed_up``."""
    targets = split_targets(occupancy, options, options.mix_down)
    parts = []
    for pdf, target in enumerate(targets.tolist()):
        own = slice(int(mixtures.offsets[pdf]), int(mixtures.offsets[pdf + 1]))
        parts.append(merged(mixtures.weights[own], mixtures.means[own], mixtures.variances[own], target))
    offsets = np.concatenate([[0], np.cumsum([len(p[0]) for p in parts])])
    made = Mixtures.of_moments(offsets, *(np.concatenate(values) for values in zip(*parts, strict=True)))
    log.info(
        f"Merged {mixtures.num_pdfs} states with target = {options.mix_down}, power = {options.power:g} and min_count "
        f"= {options.min_count:g}, merged from {mixtures.num_gaussians} to {made.num_gaussians}"
    )
    return made


def mixed_up(mixtures: Mixtures, occupancy: np.ndarray, options: MixUpOptions) -> Mixtures:
    """With Gaussians split until there are ``mix_up``; a pdf's share grows with ``occupancy`` [pdfs] to the ``power``.

    The Gaussian with the largest weight of a pdf becomes two, apart by a random vector of ``perturb_factor`` standard
    deviations, the one that Kaldi's program would draw; no pdf gets more Gaussians than it has ``min_count`` frames
    for.
    """
    targets = split_targets(occupancy, options, options.mix_up)
    random, factor = CRandom(1), float(np.float32(options.perturb_factor))
    parts: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    for pdf, size in enumerate(targets.tolist()):
        own = slice(int(mixtures.offsets[pdf]), int(mixtures.offsets[pdf + 1]))
        weights, means, variances = (
            list(values[own]) for values in (mixtures.weights, mixtures.scaled_means, mixtures.inverse_variances)
        )
        while len(weights) < size:
            largest = int(np.argmax(weights))
            weights[largest] = weights[largest] / 2
            apart = random.gaussians(mixtures.dim) * np.sqrt(variances[largest])
            step = factor * apart.astype(np.float64)  # added with one rounding, as processors with FMA do
            weights.append(weights[largest])
            means.append((means[largest] + step).astype(np.float32))
            means[largest] = (means[largest] - step).astype(np.float32)
            variances.append(variances[largest])
        parts.append((np.array(weights), np.array(means), np.array(variances)))
    offsets = np.concatenate([[0], np.cumsum([len(p[0]) for p in parts])])
    made = Mixtures(offsets, *(np.concatenate(values) for values in zip(*parts, strict=True)))
    log.info(
        f"Split {mixtures.num_pdfs} states with target = {options.mix_up}, power = {options.power:g}, perturb_factor = "
        f"{options.perturb_factor:g} and min_count = {options.min_count:g}, split #Gauss from "
        f"{mixtures.num_gaussians} to {made.num_gaussians}"
    )
    return made


def split_targets(occupancy: np.ndarray, options: MixUpOptions, target: int) -> np.ndarray:
    """How many Gaussians of ``target`` each pdf is to have, int [pdfs] (gmm/model-common.cc, GetSplitTargets)."""
    sizes = np.ones(len(occupancy), np.int64)
    wish = np.asarray(occupancy, np.float64) ** options.power
    queue = [(-w, pdf) for pdf, w in enumerate(wish.tolist()) if w > 0]
    heapq.heapify(queue)
    count = len(occupancy)
    while count < target and queue:
        _, pdf = queue[0]
        if (sizes[pdf] + 1) * options.min_count >= occupancy[pdf]:
            heapq.heappop(queue)
            continue
        sizes[pdf] += 1
        count += 1
        heapq.heapreplace(queue, (-wish[pdf] / sizes[pdf], pdf))
    if count < target:
        log.warning(f"Could not split up to {target} due to min-count = {options.min_count:g} (or no counts)")
    return sizes

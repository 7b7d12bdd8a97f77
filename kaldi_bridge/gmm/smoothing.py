"""Statistics and models pulled towards others (gmm/mle-diag-gmm.cc, MapDiagGmmUpdate; ebw-diag-gmm.cc, I-smoothing)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kaldi_bridge.command import option
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.gmm.estimation import fit
from kaldi_bridge.gmm.model import Mixtures
from kaldi_bridge.gmm.statistics import FLAGS, Statistics


@dataclass
class MapOptions:
    """Kaldi's MapDiagGmmOptions: how many frames the old model counts for."""

    mean_tau: float = option(10.0, "Tau value for updating means.")
    variance_tau: float = option(50.0, "Tau value for updating variances (where --update-flags contains v).")
    weight_tau: float = option(10.0, "Tau value for updating weights.")


def map_estimate(
    mixtures: Mixtures, statistics: Statistics, options: MapOptions, update: str
) -> tuple[Mixtures, float]:
    """Maximum a posteriori: between the old parameters and those that fit best; and how much better the fit is.

    ``update``: which of means, variances and weights (m, v, w).
    """
    occupancy, pdf = statistics.occupancy, np.repeat(np.arange(mixtures.num_pdfs), mixtures.sizes)
    weights, means, variances = mixtures.weights.astype(np.float64), mixtures.means, mixtures.variances
    seen, count = occupancy > 0, occupancy[occupancy > 0, None]
    if "w" in update:
        tau = options.weight_tau
        weights = (occupancy + weights * tau) / (statistics.pdf_occupancy[pdf] + tau)
    if "m" in update:
        means[seen] = (statistics.sums[seen] + options.mean_tau * means[seen]) / (count + options.mean_tau)
    if "v" in update:
        around = statistics.squares[seen] - 2 * statistics.sums[seen] * means[seen] + count * means[seen] ** 2
        variances[seen] = (around + options.variance_tau * variances[seen]) / (count + options.variance_tau)
    updated = Mixtures.of_moments(mixtures.offsets, weights, means, variances)
    return updated, fit(updated, statistics) - fit(mixtures, statistics)


def add_smoothing(statistics: Statistics, source: Statistics, tau: float) -> None:
    """Adds, for each Gaussian that the source has frames of, ``tau`` frames like these.

    Raises KaldiError when the source is of a model of another size.
    """
    if source.sums.shape != statistics.sums.shape or not np.array_equal(source.offsets, statistics.offsets):
        raise KaldiError("the statistics to smooth and those to smooth with are of models of different sizes")
    seen = source.occupancy != 0
    scale = tau / source.occupancy[seen, None]
    sums, squares = scale * source.sums[seen], scale * source.squares[seen]
    statistics.occupancy[seen] += tau
    if statistics.flags & FLAGS["m"]:
        statistics.sums[seen] += sums
    if statistics.flags & FLAGS["v"]:
        statistics.squares[seen] += squares


def statistics_of(mixtures: Mixtures, num_transition_ids: int) -> Statistics:
    """Of a frame of each pdf, as the mixtures expect them."""
    made = Statistics(mixtures.offsets, mixtures.dim, num_transition_ids)
    made.occupancy = mixtures.weights.astype(np.float64)
    made.sums = made.occupancy[:, None] * mixtures.means
    made.squares = made.occupancy[:, None] * (mixtures.variances + mixtures.means**2)
    return made

"""One mixture of the Gaussians of an acoustic model, a universal background model (gmm/am-diag-gmm.cc).

States are clustered bottom-up, each as one Gaussian; then the Gaussians of each cluster of states, as long as there are
too many of them; then all of them, in one mixture. Each step joins the two by which the likelihood loses least.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.gmm.estimation import MixUpOptions, mixed_down
from kaldi_bridge.gmm.merging import merged
from kaldi_bridge.gmm.model import Mixtures
from kaldi_bridge.options import option
from kaldi_bridge.tree_building.bottom_up import bottom_up

_LEAST_WEIGHT = np.float32(1.0e-10)  # of a state that no frame belongs to


@dataclass
class UbmClusteringOptions:
    """Kaldi's UbmClusteringOptions; of two names for one number, the older one counts where the other is not set."""

    ubm_num_gauss: int = option(400, "Number of Gaussians components in the final UBM.")
    ubm_numcomps: int = option(400, "Backward compatibility option (see ubm-num-gauss)")
    reduce_state_factor: float = option(0.2, "Intermediate number of clustered states (as fraction of total states).")
    intermediate_num_gauss: int = option(4000, "Intermediate number of merged Gaussian components.")
    intermediate_numcomps: int = option(4000, "Backward compatibility option (see intermediate-num-gauss)")
    cluster_varfloor: float = option(0.01, "Variance floor used in bottom-up state clustering.")
    max_am_gauss: int = option(20000, "We first reduce acoustic model to this max #Gauss before clustering.")

    def __post_init__(self) -> None:
        if self.ubm_num_gauss == UbmClusteringOptions.ubm_num_gauss:
            self.ubm_num_gauss = self.ubm_numcomps
        if self.intermediate_num_gauss == UbmClusteringOptions.intermediate_num_gauss:
            self.intermediate_num_gauss = self.intermediate_numcomps

    def check(self) -> None:
        """Raises KaldiError for numbers that make no sense together."""
        for name in ("intermediate_num_gauss", "max_am_gauss"):
            if not 0 < self.ubm_num_gauss <= getattr(self, name):
                raise KaldiError(
                    f"--ubm-num-gauss={self.ubm_num_gauss} must be positive, and at most "
                    f"--{name.replace('_', '-')}={getattr(self, name)}"
                )
        if not self.cluster_varfloor > 0:
            raise KaldiError(f"--cluster-varfloor={self.cluster_varfloor:g} must be positive")
        if not 0 < self.reduce_state_factor <= 1:
            raise KaldiError(f"--reduce-state-factor={self.reduce_state_factor:g} must be above 0 and not above 1")


def background_model(mixtures: Mixtures, occupancy: np.ndarray, options: UbmClusteringOptions) -> Mixtures:
    """A single mixture of ``ubm_num_gauss`` Gaussians, or all that there are. ``occupancy``: float32 [pdfs].

    Raises KaldiError for the occupancy of another number of pdfs, or options that make no sense.
    """
    options.check()
    if len(occupancy) != mixtures.num_pdfs:
        raise KaldiError(f"the occupancies are of {len(occupancy)} pdfs, the model has {mixtures.num_pdfs}")
    if mixtures.num_gaussians > options.max_am_gauss:
        log.info(
            f"ClusterGaussiansToUbm: first reducing num-gauss from {mixtures.num_gaussians} to {options.max_am_gauss}"
        )
        mixtures = mixed_down(
            mixtures, occupancy, MixUpOptions(mix_down=options.max_am_gauss, power=1.0, min_count=1.0)
        )
    num_clusters = int(np.float32(options.reduce_state_factor) * np.float32(mixtures.num_pdfs))
    if not num_clusters:
        raise KaldiError(
            f"--reduce-state-factor={options.reduce_state_factor:g} leaves none of {mixtures.num_pdfs} states"
        )
    count = _intermediate_number(mixtures, num_clusters, options.intermediate_num_gauss)
    floor = float(np.float32(options.cluster_varfloor))
    pdfs = np.repeat(np.arange(mixtures.num_pdfs), mixtures.sizes)
    of_states = occupancy + _LEAST_WEIGHT
    (clusters,) = bottom_up([_moments_of_states(mixtures, of_states)], floor, fewest=num_clusters)
    points = _moments(mixtures.means, mixtures.variances, of_states[pdfs] * mixtures.weights)
    compartments = [points[clusters[pdfs] == cluster] for cluster in range(num_clusters)]
    joined = bottom_up(compartments, floor, fewest=count)
    moments = np.concatenate(
        [
            np.stack([own[parts == part].sum(axis=0) for part in range(parts.max(), -1, -1)])
            for own, parts in zip(compartments, joined, strict=True)
        ]
    )
    weights = moments[:, 0]
    means, squares = np.split(moments[:, 1:] / weights[:, None], 2, axis=1)
    parts = weights / weights.sum(), means, squares - means**2
    if options.ubm_num_gauss < len(weights):
        parts = merged(*parts, options.ubm_num_gauss)
    else:
        log.warning(f"Not merging Gaussians since {options.ubm_num_gauss} < {len(weights)}")
    return Mixtures.of_moments(np.array([0, len(parts[0])]), *parts)


def _intermediate_number(mixtures: Mixtures, num_clusters: int, wanted: int) -> int:
    """Of Gaussians: no more than there are, and one for each cluster of states."""
    if wanted > mixtures.num_gaussians:
        log.warning(
            f"Intermediate num_gauss {wanted} is more than num-gauss {mixtures.num_gaussians}, reducing it to "
            f"{mixtures.num_gaussians}"
        )
        wanted = mixtures.num_gaussians
    if wanted < num_clusters:
        log.warning(
            f"Intermediate num_gauss {wanted} is less than # of preclustered states {num_clusters}, increasing it to "
            f"{num_clusters}"
        )
        wanted = num_clusters
    return wanted


def _moments_of_states(mixtures: Mixtures, weights: np.ndarray) -> np.ndarray:
    """Of each pdf as one Gaussian [pdfs, 1 + 2 * dim]."""
    starts, shares = mixtures.offsets[:-1], mixtures.weights.astype(np.float64)[:, None]
    means = np.add.reduceat(shares * mixtures.means, starts)
    squares = np.add.reduceat(shares * (mixtures.variances + mixtures.means**2), starts)
    return _moments(means, squares - means**2, weights)


def _moments(means: np.ndarray, variances: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """[n, 1 + 2 * dim]: numbers of frames, their sums and sums of squares, in single precision."""
    first, count = means.astype(np.float32), weights.astype(np.float32)[:, None]
    second = variances.astype(np.float32) + first * first
    return np.hstack([count, count * first, count * second]).astype(np.float64)

"""More Gaussians in a mixture that stands alone (gmm/diag-gmm.cc, DiagGmm::Split)."""

from __future__ import annotations

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.c_random import CRandom
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.gmm.model import Mixtures


def split(mixture: Mixtures, target: int, perturb_factor: float, random: CRandom) -> Mixtures:
    """With ``target`` Gaussians: again and again that of the largest weight becomes two.

    Their means are moved apart, at random, by ``perturb_factor`` standard deviations. Raises KaldiError when there are
    more Gaussians already.
    """
    count, dim = mixture.num_gaussians, mixture.dim
    if target < count:
        raise KaldiError(f"Cannot split from {count} to {target} components")
    if target == count:
        log.warning("Already have the target # of Gaussians. Doing nothing.")
        return mixture
    weights = np.resize(mixture.weights, target)
    weights[count:] = -1.0
    means, variances = np.zeros((target, dim), np.float32), np.zeros((target, dim), np.float32)
    means[:count], variances[:count] = mixture.scaled_means, mixture.inverse_variances
    for new in range(count, target):
        largest = int(np.argmax(weights))
        weights[largest] /= 2
        weights[new] = weights[largest]
        step = random.gaussians(dim) * np.sqrt(variances[largest]) * np.float32(perturb_factor)
        variances[new] = variances[largest]
        means[new] = means[largest] + step
        means[largest] -= step
    return Mixtures(np.array([0, target]), weights, means, variances)

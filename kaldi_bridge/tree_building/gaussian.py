"""How well one Gaussian with a diagonal covariance fits frames that are known by their moments only.

Moments are float64 [..., 1 + 2 * dim]: the number of frames, their sum, the sum of their squares. They add up.
"""

from __future__ import annotations

import math

import numpy as np

LOG_2PI = math.log(2 * math.pi)


def moments_of_runs(feats: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """The moments of runs of frames: [runs, 1 + 2 * dim] of features [frames, dim], squared in their precision.

    ``starts``: of the runs, of which each ends where the next one starts; the first at 0.
    """
    both = np.concatenate([feats, feats * feats], axis=1, dtype=np.float64)
    counts = np.diff(starts, append=len(feats))
    return np.concatenate([counts[:, np.newaxis], np.add.reduceat(both, starts, axis=0)], axis=1)


def log_likelihood(moments: np.ndarray, variance_floor: float) -> np.ndarray:
    """Of the frames under their own mean and floored variance, float32 [...]; 0 where there are none.

    tree/clusterable-classes.cc, GaussClusterable::Objf. In single precision as there: that two values are the same
    decides in places.
    """
    dim = (moments.shape[-1] - 1) // 2
    count = moments[..., 0]
    some = count > 0
    divisor = np.where(some, count, 1.0)[..., None]
    variance = moments[..., 1 + dim :] / divisor - (moments[..., 1 : 1 + dim] / divisor) ** 2
    floored = np.maximum(variance, variance_floor)
    per_frame = -0.5 * ((variance / floored).sum(-1) + np.log(floored).sum(-1) + LOG_2PI * dim)
    return np.where(some, per_frame * count, 0.0).astype(np.float32)

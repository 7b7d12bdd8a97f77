"""The transform that preconditions a network's input: LDA with small variances where classes do not differ
(nnet2/get-feature-transform.h)."""

from __future__ import annotations

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.transforms.lda import directions
from kaldi_bridge.transforms.lda_statistics import LdaStatistics


def estimate(
    statistics: LdaStatistics,
    dim: int = -1,
    within_class_factor: float = 0.001,
    max_singular_value: float = 5.0,
    remove_offset: bool = True,
) -> np.ndarray:
    """float32 [dim, input dim], one column more with ``remove_offset``: the affine map's last column.

    Within classes the covariance is made the unit matrix, between them diagonal with elements b, the largest first;
    then each row is scaled by sqrt((within_class_factor + b) / (1 + b)), and singular values are limited. Signs of the
    rows are arbitrary.

    Raises:
        KaldiError: ``dim`` is larger than that of the statistics.
    """
    mean, _, _ = statistics.covariances()
    dim = dim if dim > 0 else len(mean)
    if dim > len(mean):
        raise KaldiError(f"--dim={dim} is larger than the statistics' dimension {len(mean)}")
    rows, variances = directions(statistics)
    log.info(f"Sum of all singular values is {variances.sum():g}")
    log.info(f"Sum of selected singular values is {variances[:dim].sum():g}")
    if within_class_factor != 1.0:
        rows = rows * np.sqrt((within_class_factor + variances) / (1.0 + variances))[:, None]
    transform = rows[:dim]
    if max_singular_value > 0.0:
        left, singular, right = np.linalg.svd(transform, full_matrices=False)
        above = int((singular > max_singular_value).sum())
        if above:
            log.info(
                f"Applied ceiling to {above} out of {len(singular)} singular values of transform using ceiling "
                f"{max_singular_value:g}, max is {singular.max():g}"
            )
            transform = (left * np.minimum(singular, max_singular_value)) @ right
    if remove_offset:
        transform = np.hstack([transform, -(transform @ mean)[:, None]])
    return transform.astype(np.float32)

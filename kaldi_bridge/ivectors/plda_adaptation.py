"""Adaptation of a PLDA model to i-vectors of other data without speakers' names (PldaUnsupervisedAdaptor)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.command import option
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.ivectors.covariances import eigenvalues, inverse
from kaldi_bridge.ivectors.plda import Plda, from_covariances, vector_text


@dataclass
class PldaAdaptationOptions:
    """Kaldi's PldaUnsupervisedAdaptorConfig."""

    mean_diff_scale: float = option(
        1.0, "How much of the outer product of the difference of the means is added to the variance of the new data"
    )
    within_covar_scale: float = option(
        0.3, "How much of the excess variance in a direction goes to the within-class covariance"
    )
    between_covar_scale: float = option(
        0.7, "How much of the excess variance in a direction goes to the between-class covariance"
    )

    def check(self) -> None:
        """Raises KaldiError for nonsense."""
        if self.mean_diff_scale < 0:
            raise KaldiError(f"--mean-diff-scale={self.mean_diff_scale:g} must not be negative")


def adapted(plda: Plda, ivectors: np.ndarray, options: PldaAdaptationOptions) -> Plda:
    """The model with the mean of i-vectors [N, dim], and with larger covariances in directions where they vary more.

    These directions are eigenvectors of their variance in the space where the model expects a total one of 1.
    Raises KaldiError for i-vectors of another dimension, or none.
    """
    options.check()
    if not ivectors.size:
        raise KaldiError("no i-vectors to adapt to")
    if ivectors.shape[1] != plda.dim:
        raise KaldiError(f"i-vectors of dimension {ivectors.shape[1]}, but the PLDA model has {plda.dim}")
    values = ivectors.astype(np.float64)
    mean = values.mean(axis=0)
    difference = mean - plda.mean
    variance = values.T @ values / len(values) - np.outer(mean, mean)
    variance += np.float32(options.mean_diff_scale) * np.outer(difference, difference)
    whitening = plda.transform / np.sqrt(1.0 + plda.psi)[:, np.newaxis]
    found, directions = eigenvalues(whitening @ variance @ whitening.T, "the covariance of the i-vectors")
    log.info(
        "Eigenvalues of adaptation-data total-covariance in space where training-data total-covariance is unit, is: "
        + vector_text(found)
    )
    within = (directions.T / (1.0 + plda.psi)) @ directions
    between = (directions.T * (plda.psi / (1.0 + plda.psi))) @ directions
    for i, value in enumerate(found):
        log.info(
            f"For {i}'th eigenvalue, value is {value:g}, within-class covar in this direction is {within[i, i]:g}, "
            f"between-class is {between[i, i]:g}"
        )
    excess = np.maximum(found - 1.0, 0.0)
    within += np.diag(np.float32(options.within_covar_scale) * excess)
    between += np.diag(np.float32(options.between_covar_scale) * excess)
    back = inverse(directions.T @ whitening, "the transform of the PLDA model")
    result = from_covariances(mean, back @ within @ back.T, back @ between @ back.T)
    log.info(
        f"Old diagonal of between-class covar was: {vector_text(plda.psi)}, new diagonal is {vector_text(result.psi)}"
    )
    return result

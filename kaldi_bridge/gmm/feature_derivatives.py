"""Derivatives of an objective by the features, from the posteriors of transition-ids (transform/fmpe.cc,
ComputeAmGmmFeatureDeriv)."""

from __future__ import annotations

import numpy as np

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.gmm.acoustic_model import AcousticModel
from kaldi_bridge.gmm.gaussian_posteriors import gaussian_posteriors
from kaldi_bridge.gmm.statistics import Statistics
from kaldi_bridge.tables.posterior import SparsePosterior


class FeatureDerivatives:
    """``by_model``: derivatives by the sums that the model is estimated from (rescaling.py), for the indirect part.

    ``log_likelihood``: of all frames so far, weighted by the posteriors. Raises KaldiError where ``by_model`` is of
    another model.
    """

    def __init__(self, model: AcousticModel, by_model: Statistics | None = None) -> None:
        mixtures = model.mixtures
        if by_model is not None and by_model.sums.shape != (mixtures.num_gaussians, mixtures.dim):
            raise KaldiError("the model derivative is of a model of another size")
        self._model, self._by_model = model, by_model
        self.log_likelihood = 0.0

    def of(self, feats: np.ndarray, posterior: SparsePosterior) -> tuple[np.ndarray, np.ndarray]:
        """Of features [frames, dim]: float32 [frames, dim], directly, and indirectly, through the model.

        Positive posteriors are the numerator's, which the model is estimated from. Raises KaldiError as
        ``gaussian_posteriors`` does.
        """
        mixtures = self._model.mixtures
        direct, indirect = np.zeros_like(feats), np.zeros_like(feats)
        for is_numerator in (True, False):
            own = posterior.selected(posterior.weights > 0 if is_numerator else posterior.weights < 0)
            shares = gaussian_posteriors(self._model, feats, own)
            self.log_likelihood += shares.log_likelihood
            linear, quadratic = shares.weighted_sums(mixtures.scaled_means, mixtures.inverse_variances)
            direct += linear - feats * quadratic
            if is_numerator and self._by_model is not None:
                sums, squares = shares.weighted_sums(self._by_model.sums, self._by_model.squares)
                indirect += sums + 2 * feats * squares
        return direct, indirect

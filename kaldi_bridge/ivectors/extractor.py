"""What an i-vector extractor (model.py) contributes to the statistics of frames.

Frame x of Gaussian i is N(M_i v, S_i), v the i-vector with the prior N(o e_1, 1). Of frames with weights w, the
likeliest v solves (1 + sum w M_i' S_i^-1 M_i) v = o e_1 + sum w M_i' S_i^-1 x.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.matrix_io import pack_symmetric
from kaldi_bridge.ivectors.model import read_model


@dataclass
class IvectorExtractor:
    """What an extractor contributes to the statistics.

    Attributes:
        linear: S_i^-1 M_i, float64 [gaussians, feature dim, i-vector dim].
        quadratic: M_i' S_i^-1 M_i, float64 [gaussians, n (n + 1) / 2], lower triangles, n the i-vector dim.
        prior_offset: the prior's mean in the first dimension; the other means are 0.
    """

    linear: np.ndarray
    quadratic: np.ndarray
    prior_offset: float

    @property
    def num_gaussians(self) -> int:
        return self.linear.shape[0]

    @property
    def feature_dim(self) -> int:
        return self.linear.shape[1]

    @property
    def dim(self) -> int:
        return self.linear.shape[2]

    @classmethod
    def of_matrices(cls, means: np.ndarray, precisions: np.ndarray, prior_offset: float) -> IvectorExtractor:
        """From M [gaussians, feature dim, i-vector dim] and the S^-1 [gaussians, feature dim, feature dim]."""
        linear = precisions @ means
        quadratic = np.stack([pack_symmetric(m.T @ scaled) for m, scaled in zip(means, linear, strict=True)])
        return cls(linear, quadratic, prior_offset)


def read_extractor(rxfilename: str) -> IvectorExtractor:
    """The extractor in a file such as final.ie. Raises KaldiError, also where its weights depend on the i-vector."""
    model = read_model(rxfilename)
    if model.has_dependent_weights:
        raise KaldiError(
            f"{rxfilename}: this extractor's Gaussian weights depend on the i-vector, which online extraction "
            "does not allow (train it with --use-weights=false)"
        )
    return IvectorExtractor.of_matrices(model.projections, model.precisions, model.prior_offset)

"""An i-vector extractor, as Kaldi trains it (ivector/ivector-extractor.cc).

Frame x of Gaussian i is N(M_i v, S_i), v the i-vector with the prior N(o e_1, 1). Of frames with weights w, the
likeliest v solves (1 + sum w M_i' S_i^-1 M_i) v = o e_1 + sum w M_i' S_i^-1 x.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io import basic_io
from kaldi_bridge.io.matrix_io import pack_symmetric, read_matrix, read_packed, read_vector, unpack_symmetric
from kaldi_bridge.io.streams import open_input

if TYPE_CHECKING:
    from kaldi_bridge.io.streams import InputStream


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

    @classmethod
    def read(cls, stream: InputStream, binary: bool) -> IvectorExtractor:
        """Raises KaldiError where the file does not hold an extractor, or one whose weights depend on the i-vector."""
        basic_io.expect_token(stream, binary, "<IvectorExtractor>")
        basic_io.expect_token(stream, binary, "<w>")
        dependent = read_matrix(stream, binary, np.float64)
        basic_io.expect_token(stream, binary, "<w_vec>")
        weights = read_vector(stream, binary, np.float64)
        if dependent.size:
            raise KaldiError(
                f"{stream.name}: this extractor's Gaussian weights depend on the i-vector, which online extraction "
                "does not allow (train it with --use-weights=false)"
            )
        basic_io.expect_token(stream, binary, "<M>")
        count = basic_io.read_int32(stream, binary)
        if count <= 0 or not stream.holds(count) or len(weights) != count:
            raise KaldiError(f"{stream.where()}: {count} is no number of Gaussians, or the file is truncated")
        means = [read_matrix(stream, binary, np.float64) for _ in range(count)]
        basic_io.expect_token(stream, binary, "<SigmaInv>")
        precisions = [unpack_symmetric(read_packed(stream, binary, np.float64)) for _ in range(count)]
        basic_io.expect_token(stream, binary, "<IvectorOffset>")
        offset = basic_io.read_double(stream, binary)
        basic_io.expect_token(stream, binary, "</IvectorExtractor>")
        dim, shape = len(means[0]), means[0].shape
        if not means[0].size or any(m.shape != shape for m in means) or any(len(p) != dim for p in precisions):
            raise KaldiError(f"{stream.name}: means and covariances of the extractor do not fit together")
        if not (np.isfinite(means).all() and np.isfinite(precisions).all() and np.isfinite(offset)):
            raise KaldiError(f"{stream.name}: the extractor has values that are not finite")
        return cls.of_matrices(np.stack(means), np.stack(precisions), offset)


def read_extractor(rxfilename: str) -> IvectorExtractor:
    """The extractor in a file such as final.ie."""
    with open_input(rxfilename) as stream:
        return IvectorExtractor.read(stream, basic_io.read_header(stream))

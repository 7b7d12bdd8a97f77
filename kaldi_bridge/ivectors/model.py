"""An i-vector extractor as it is trained and stored (ivector/ivector-extractor.cc).

Frame x of Gaussian i is N(M_i v, S_i), v the i-vector, which has the prior N(o e_1, 1). The Gaussians' weights are
fixed, or the softmax of W v.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kaldi_bridge.c_random import CRandom, normal_matrix
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.gmm.full_model import FullMixture
from kaldi_bridge.io import basic_io
from kaldi_bridge.io.matrix_io import (
    pack_symmetric,
    read_matrix,
    read_packed,
    read_vector,
    unpack_symmetric,
    write_matrix,
    write_packed,
    write_vector,
)
from kaldi_bridge.io.streams import open_input, open_output

if TYPE_CHECKING:
    from kaldi_bridge.io.streams import InputStream, OutputStream

INITIAL_PRIOR_OFFSET = 100.0


@dataclass
class ExtractorModel:
    """All in double precision.

    Attributes:
        weight_projections: W [gaussians, i-vector dim], or [0, 0] where weights do not depend on the i-vector.
        weights: [gaussians], or [0] where they do.
        projections: M [gaussians, feature dim, i-vector dim].
        precisions: S^-1 [gaussians, feature dim, feature dim].
        prior_offset: o.
    """

    weight_projections: np.ndarray
    weights: np.ndarray
    projections: np.ndarray
    precisions: np.ndarray
    prior_offset: float

    @classmethod
    def initial(cls, mixture: FullMixture, dim: int, use_weights: bool, random: CRandom) -> ExtractorModel:
        """Random projections, but the prior's mean gives the mixture's means. Raises KaldiError for no dimension."""
        if dim <= 0:
            raise KaldiError(f"{dim} is no dimension of i-vectors")
        shape = (mixture.num_gaussians, mixture.dim, dim)
        projections = np.zeros(shape)
        for own in projections:
            own[:] = normal_matrix(*shape[1:], random)
        projections[:, :, 0] = mixture.means / INITIAL_PRIOR_OFFSET
        return cls(
            np.zeros((shape[0], dim) if use_weights else (0, 0)),
            np.zeros(0) if use_weights else mixture.weights.astype(np.float64),
            projections,
            mixture.precisions.astype(np.float64),
            INITIAL_PRIOR_OFFSET,
        )

    @property
    def num_gaussians(self) -> int:
        return self.projections.shape[0]

    @property
    def feature_dim(self) -> int:
        return self.projections.shape[1]

    @property
    def dim(self) -> int:
        return self.projections.shape[2]

    @property
    def has_dependent_weights(self) -> bool:
        return self.weight_projections.size > 0

    @classmethod
    def read(cls, stream: InputStream, binary: bool) -> ExtractorModel:
        """Raises KaldiError where the file does not hold an extractor."""
        basic_io.expect_token(stream, binary, "<IvectorExtractor>")
        basic_io.expect_token(stream, binary, "<w>")
        weight_projections = read_matrix(stream, binary, np.float64)
        basic_io.expect_token(stream, binary, "<w_vec>")
        weights = read_vector(stream, binary, np.float64)
        basic_io.expect_token(stream, binary, "<M>")
        count = basic_io.read_int32(stream, binary)
        of_weights = len(weight_projections) or len(weights)
        if count <= 0 or not stream.holds(count) or of_weights != count:
            raise KaldiError(f"{stream.where()}: {count} is no number of Gaussians, or the file is truncated")
        projections = [read_matrix(stream, binary, np.float64) for _ in range(count)]
        basic_io.expect_token(stream, binary, "<SigmaInv>")
        precisions = [unpack_symmetric(read_packed(stream, binary, np.float64)) for _ in range(count)]
        basic_io.expect_token(stream, binary, "<IvectorOffset>")
        offset = basic_io.read_double(stream, binary)
        basic_io.expect_token(stream, binary, "</IvectorExtractor>")
        shape = projections[0].shape
        fits = projections[0].size and all(m.shape == shape for m in projections)
        fits = fits and all(p.shape == (shape[0], shape[0]) for p in precisions)
        if not fits or weight_projections.shape not in ((0, 0), (count, shape[1])):
            raise KaldiError(f"{stream.name}: means and covariances of the extractor do not fit together")
        model = cls(weight_projections, weights, np.stack(projections), np.stack(precisions), offset)
        parts = (model.weight_projections, model.weights, model.projections, model.precisions, np.array(offset))
        if not all(np.isfinite(part).all() for part in parts):
            raise KaldiError(f"{stream.name}: the extractor has values that are not finite")
        return model

    def write(self, stream: OutputStream, binary: bool) -> None:
        basic_io.write_token(stream, binary, "<IvectorExtractor>")
        basic_io.write_token(stream, binary, "<w>")
        write_matrix(stream, binary, self.weight_projections)
        basic_io.write_token(stream, binary, "<w_vec>")
        write_vector(stream, binary, self.weights)
        basic_io.write_token(stream, binary, "<M>")
        basic_io.write_int32(stream, binary, self.num_gaussians)
        for projection in self.projections:
            write_matrix(stream, binary, projection)
        basic_io.write_token(stream, binary, "<SigmaInv>")
        for precision in self.precisions:
            write_packed(stream, binary, pack_symmetric(precision))
        basic_io.write_token(stream, binary, "<IvectorOffset>")
        basic_io.write_double(stream, binary, self.prior_offset)
        basic_io.write_token(stream, binary, "</IvectorExtractor>")


def read_model(rxfilename: str) -> ExtractorModel:
    """The extractor in a file such as final.ie. Raises KaldiError."""
    with open_input(rxfilename) as stream:
        return ExtractorModel.read(stream, basic_io.read_header(stream))


def write_model(wxfilename: str, model: ExtractorModel, binary: bool = True) -> None:
    """Kaldi's ``final.ie``."""
    with open_output(wxfilename) as stream:
        basic_io.write_header(stream, binary)
        model.write(stream, binary)

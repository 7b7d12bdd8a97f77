"""A mixture of Gaussians with full covariances, as a universal background model has them (gmm/full-gmm.h).

log N(x; m, C) = g + x . (P m) - x' P x / 2 with the precision P, the inverse of C.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence

import numpy as np

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.extension import _csrc
from kaldi_bridge.gmm.model import Mixtures
from kaldi_bridge.io import basic_io
from kaldi_bridge.io.matrix_io import (
    pack_symmetric,
    packed_size,
    read_matrix,
    read_packed,
    read_vector,
    unpack_symmetric,
    write_matrix,
    write_packed,
    write_vector,
)
from kaldi_bridge.io.streams import InputStream, OutputStream, open_input, open_output


class FullMixture:
    """Weights, P m and P of each Gaussian.

    Attributes:
        weights: float32 [gaussians]. scaled_means: float32 [gaussians, dim].
        precisions: float32 [gaussians, dim, dim], symmetric.
        constants: float32 [gaussians]: log of weight and density at zero.
    """

    def __init__(self, weights: np.ndarray, scaled_means: np.ndarray, precisions: np.ndarray) -> None:
        """Raises KaldiError where a value is not finite, or a precision not positive definite."""
        self.weights = weights.astype(np.float32, copy=False)
        self.scaled_means = scaled_means.astype(np.float32, copy=False)
        self.precisions = precisions.astype(np.float32, copy=False)
        if not (np.isfinite(self.scaled_means).all() and np.isfinite(self.precisions).all()):
            raise KaldiError("a Gaussian has a mean or a covariance that is not finite")
        if not (self.weights >= 0).all():
            raise KaldiError("a Gaussian has a weight that is not positive")
        self.constants = self._constants()

    @classmethod
    def of_moments(cls, weights: np.ndarray, means: np.ndarray, covariances: np.ndarray) -> FullMixture:
        """From means [gaussians, dim] and covariances [gaussians, dim, dim]. Raises KaldiError for singular ones."""
        try:
            precisions = np.linalg.inv(covariances)
        except np.linalg.LinAlgError as error:
            raise KaldiError("a covariance is singular") from error
        precisions = (precisions + precisions.transpose(0, 2, 1)) / 2
        return cls(weights, np.einsum("gij,gj->gi", precisions, means), precisions)

    @classmethod
    def of_diagonal(cls, mixture: Mixtures) -> FullMixture:
        precisions = np.zeros((mixture.num_gaussians, mixture.dim, mixture.dim), np.float32)
        diagonal = np.arange(mixture.dim)
        precisions[:, diagonal, diagonal] = mixture.inverse_variances
        return cls(mixture.weights, mixture.scaled_means, precisions)

    @classmethod
    def merged(cls, mixtures: Sequence[FullMixture]) -> FullMixture:
        """The Gaussians of all, one mixture after the other; each mixture weighs as much as it has Gaussians.

        Raises KaldiError when their dimensions differ.
        """
        if len({mixture.dim for mixture in mixtures}) > 1:
            raise KaldiError(f"mixtures of different dimensions: {[mixture.dim for mixture in mixtures]}")
        total = sum(mixture.num_gaussians for mixture in mixtures)
        return cls(
            np.concatenate([mixture.weights * np.float32(mixture.num_gaussians / total) for mixture in mixtures]),
            np.concatenate([mixture.scaled_means for mixture in mixtures]),
            np.concatenate([mixture.precisions for mixture in mixtures]),
        )

    def to_diagonal(self) -> Mixtures:
        """With the diagonals of the covariances, and the same means (DiagGmm::CopyFromFullGmm)."""
        variances = np.diagonal(self.covariances, axis1=1, axis2=2)
        return Mixtures.of_moments(np.array([0, self.num_gaussians]), self.weights, self.means, variances)

    def _constants(self) -> np.ndarray:
        """FullGmm::ComputeGconsts."""
        signs, determinants = np.linalg.slogdet(self.precisions.astype(np.float64))
        if not (signs > 0).all():
            raise KaldiError(f"the covariance of Gaussian {int(np.argmin(signs))} is not positive definite")
        quadratic = np.einsum("gi,gi->g", self.scaled_means.astype(np.float64), self.means)
        with np.errstate(divide="ignore"):
            weights = np.log(self.weights.astype(np.float64))
        return (weights + 0.5 * (determinants - quadratic - self.dim * math.log(2 * math.pi))).astype(np.float32)

    @property
    def dim(self) -> int:
        return self.scaled_means.shape[1]

    @property
    def num_gaussians(self) -> int:
        return len(self.weights)

    @property
    def covariances(self) -> np.ndarray:
        """float64 [gaussians, dim, dim]."""
        return np.linalg.inv(self.precisions.astype(np.float64))

    @property
    def means(self) -> np.ndarray:
        """float64 [gaussians, dim]."""
        return np.linalg.solve(self.precisions.astype(np.float64), self.scaled_means.astype(np.float64)[..., None])[
            ..., 0
        ]

    def gaussian_log_likelihoods(self, feats: np.ndarray, gaussian: int) -> np.ndarray:
        """float32 [frames] of features [frames, dim] by one Gaussian, weight included."""
        linear = feats @ self.scaled_means[gaussian]
        quadratic = np.einsum("td,td->t", feats @ self.precisions[gaussian], feats)
        return self.constants[gaussian] + linear - np.float32(0.5) * quadratic

    def all_log_likelihoods(self, feats: np.ndarray) -> np.ndarray:
        """float32 [frames, gaussians] of features [frames, dim]. Raises KaldiError for what ``check_feats`` does."""
        self.check_feats(feats)
        return np.stack([self.gaussian_log_likelihoods(feats, g) for g in range(self.num_gaussians)], axis=1)

    def pair_log_likelihoods(self, feats: np.ndarray, frames: np.ndarray, gaussians: np.ndarray) -> np.ndarray:
        """float32 [n], of the frame ``frames[i]`` of features [frames, dim] by the Gaussian ``gaussians[i]``."""
        self.check_feats(feats)
        parts = self.constants, self.scaled_means, self._triangles
        made: np.ndarray = _csrc.full_log_likelihoods(*parts, feats, frames, gaussians)
        return made

    @functools.cached_property
    def _triangles(self) -> np.ndarray:
        """float32 [gaussians, dim (dim + 1) / 2], those of the precisions."""
        return np.stack([pack_symmetric(precision) for precision in self.precisions])

    def check_feats(self, feats: np.ndarray) -> None:
        """Raises KaldiError for features of another dimension, or that are not finite."""
        if feats.shape[1] != self.dim:
            raise KaldiError(f"features of dimension {feats.shape[1]}, but the model is for {self.dim}")
        if not np.isfinite(feats).all():
            raise KaldiError("features that are infinite or not a number")

    # Files.

    @classmethod
    def read(cls, stream: InputStream, binary: bool) -> FullMixture:
        """Raises KaldiError where the file holds no such mixture."""
        _expect(stream, binary, "<FullGMM>", "<FullGMMBegin>")
        if _expect(stream, binary, "<GCONSTS>", "<WEIGHTS>") == "<GCONSTS>":
            read_vector(stream, binary)  # computed again from the rest
            basic_io.expect_token(stream, binary, "<WEIGHTS>")
        weights = read_vector(stream, binary)
        basic_io.expect_token(stream, binary, "<MEANS_INVCOVARS>")
        means = read_matrix(stream, binary)
        basic_io.expect_token(stream, binary, "<INV_COVARS>")
        if not len(weights) or len(means) != len(weights):
            raise KaldiError(f"{stream.where()}: {len(weights)} weights, {len(means)} means of a mixture")
        packed = [read_packed(stream, binary) for _ in range(len(weights))]
        _expect(stream, binary, "</FullGMM>", "<FullGMMEnd>")
        if any(packed_size(len(p)) != means.shape[1] for p in packed):
            raise KaldiError(f"{stream.where()}: means and covariances of a mixture do not fit together")
        try:
            return cls(weights, means, np.stack([unpack_symmetric(p) for p in packed]))
        except KaldiError as error:
            raise KaldiError(f"{stream.name}: {error}") from None

    def write(self, stream: OutputStream, binary: bool) -> None:
        newline = b"" if binary else b"\n"
        basic_io.write_token(stream, binary, "<FullGMM>")
        stream.write(newline)
        basic_io.write_token(stream, binary, "<GCONSTS>")
        write_vector(stream, binary, self.constants)
        basic_io.write_token(stream, binary, "<WEIGHTS>")
        write_vector(stream, binary, self.weights)
        basic_io.write_token(stream, binary, "<MEANS_INVCOVARS>")
        write_matrix(stream, binary, self.scaled_means)
        basic_io.write_token(stream, binary, "<INV_COVARS>")
        for precision in self.precisions:
            write_packed(stream, binary, pack_symmetric(precision))
        basic_io.write_token(stream, binary, "</FullGMM>")
        stream.write(newline)


def _expect(stream: InputStream, binary: bool, *tokens: str) -> str:
    token = basic_io.read_token(stream, binary)
    if token not in tokens:
        raise KaldiError(f"{stream.where()}: expected {' or '.join(tokens)}, got {token}")
    return token


def read_full_mixture(rxfilename: str) -> FullMixture:
    """Raises KaldiError."""
    with open_input(rxfilename) as stream:
        return FullMixture.read(stream, basic_io.read_header(stream))


def write_full_mixture(wxfilename: str, mixture: FullMixture, binary: bool = True) -> None:
    """A mixture of full-covariance Gaussians, a file by itself."""
    with open_output(wxfilename) as stream:
        basic_io.write_header(stream, binary)
        mixture.write(stream, binary)

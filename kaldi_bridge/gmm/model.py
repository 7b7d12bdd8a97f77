"""The mixtures of an acoustic model, one for each pdf, of Gaussians with diagonal covariances (gmm/am-diag-gmm.h).

Likelihoods are matrix products: log N(x; m, v) = g + x . (m / v) - x^2 . (1 / 2v), so that those of all Gaussians and
frames are one product; then the Gaussians of each pdf are summed.
"""

from __future__ import annotations

import math
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from kaldi_bridge.c_random import CRandom
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.extension import _csrc
from kaldi_bridge.io import basic_io
from kaldi_bridge.io.matrix_io import read_matrix, read_vector, write_matrix, write_vector
from kaldi_bridge.tables.holders import ObjectHolder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kaldi_bridge.io.streams import InputStream, OutputStream


class Mixtures:
    """Gaussians of pdf p: ``offsets[p]`` to ``offsets[p + 1] - 1``.

    Attributes:
        offsets: int64 [pdfs + 1].
        weights: float32 [gaussians]; a mixture's sum to 1.
        means, variances: float64 [gaussians, dim].
        inverse_variances, scaled_means: float32 [gaussians, dim]; 1 / v and m / v, what files hold.
        constants: float32 [gaussians]: log of weight and density at zero.
    """

    def __init__(
        self, offsets: np.ndarray, weights: np.ndarray, scaled_means: np.ndarray, inverse_variances: np.ndarray
    ) -> None:
        if not (np.diff(offsets) > 0).all():
            raise KaldiError("a mixture has no Gaussians")
        self.offsets = offsets
        self.weights = weights.astype(np.float32, copy=False)
        self.scaled_means = scaled_means.astype(np.float32, copy=False)
        self.inverse_variances = inverse_variances.astype(np.float32, copy=False)
        if not (np.isfinite(self.scaled_means).all() and (self.inverse_variances > 0).all() and (weights >= 0).all()):
            raise KaldiError("a Gaussian has a mean that is not finite, or a variance or weight that is not positive")
        self.constants = self._constants()

    @classmethod
    def of_moments(cls, offsets: np.ndarray, weights: np.ndarray, means: np.ndarray, variances: np.ndarray) -> Mixtures:
        """In single precision, as Kaldi computes them (DiagGmmNormal::CopyToDiagGmm)."""
        inverse = np.float32(1) / variances.astype(np.float32)
        return cls(offsets, weights, means.astype(np.float32) * inverse, inverse)

    def _constants(self) -> np.ndarray:
        """DiagGmm::ComputeGconsts: one dimension after the other, the sum in single precision."""
        inverse = self.inverse_variances.astype(np.float64)
        quadratic = 0.5 * np.log(inverse).astype(np.float32) - 0.5 * self.scaled_means.astype(np.float64) ** 2 / inverse
        with np.errstate(divide="ignore"):
            constants = np.log(self.weights.astype(np.float64)).astype(np.float32)
        constants += np.float32(-0.5 * math.log(2 * math.pi) * self.dim)
        for column in quadratic.T:
            constants = (constants + column).astype(np.float32)
        return constants

    @cached_property
    def _parameters(self) -> np.ndarray:
        """float32 [gaussians, 2 * dim]: what features and their squares are multiplied by."""
        return np.concatenate([self.scaled_means, np.float32(-0.5) * self.inverse_variances], axis=1)

    @property
    def dim(self) -> int:
        return self.scaled_means.shape[1]

    @property
    def num_pdfs(self) -> int:
        return len(self.offsets) - 1

    @property
    def num_gaussians(self) -> int:
        return len(self.weights)

    @property
    def sizes(self) -> np.ndarray:
        """Gaussians of each pdf [pdfs]."""
        return np.diff(self.offsets)

    @property
    def variances(self) -> np.ndarray:
        return 1.0 / self.inverse_variances.astype(np.float64)

    @property
    def means(self) -> np.ndarray:
        return self.scaled_means.astype(np.float64) * self.variances

    def perturbed(self, factor: float) -> Mixtures:
        """With means moved at random, by ``factor`` standard deviations, as Kaldi's program would move them."""
        noise = CRandom(1).gaussians(self.scaled_means.size).reshape(self.scaled_means.shape)
        moved = self.scaled_means + factor * noise * np.sqrt(self.inverse_variances)
        return Mixtures(self.offsets, self.weights, moved, self.inverse_variances)

    def boosted(self, pdfs: np.ndarray, factor: float) -> Mixtures:
        """With the weights of some pdfs' Gaussians, and so their likelihoods, times ``factor``."""
        weights = self.weights.copy()
        weights[self.gaussians_of(pdfs)] *= np.float32(factor)
        return Mixtures(self.offsets, weights, self.scaled_means, self.inverse_variances)

    def with_transformed_means(self, matrix: np.ndarray) -> Mixtures:
        """With means times ``matrix`` [dim, dim], or [dim, dim + 1] with an offset last; variances stay.

        Raises KaldiError for a matrix of another size.
        """
        rows, columns = matrix.shape
        if rows != self.dim or columns not in (self.dim, self.dim + 1):
            raise KaldiError(f"a transform of size {rows} x {columns} for a model of dimension {self.dim}")
        means = (self.means @ matrix[:, : self.dim].T + (matrix[:, -1] if columns > self.dim else 0.0)).astype("f4")
        return Mixtures(self.offsets, self.weights, means * self.inverse_variances, self.inverse_variances)

    def gaussians_of(self, pdfs: np.ndarray) -> np.ndarray:
        """The Gaussians of several pdfs, one pdf after the other."""
        sizes = self.sizes[pdfs]
        ends = np.cumsum(sizes)
        return np.arange(ends[-1] if len(ends) else 0) + np.repeat(self.offsets[pdfs] - (ends - sizes), sizes)

    def gaussian_log_likelihoods(self, feats: np.ndarray, gaussians: np.ndarray | slice) -> np.ndarray:
        """float32 [gaussians, frames] of features [frames, dim], weights included.

        Raises KaldiError when the features have another dimension.
        """
        if feats.shape[1] != self.dim:
            raise KaldiError(f"features of dimension {feats.shape[1]}, but the model is for {self.dim}")
        scores = self._parameters[gaussians] @ np.concatenate([feats, feats * feats], axis=1).T
        scores += self.constants[gaussians][:, np.newaxis]
        return scores

    def log_likelihoods(self, feats: np.ndarray, pdfs: Sequence[int] | np.ndarray | None = None) -> np.ndarray:
        """float32 [frames, pdfs] of features [frames, dim]: of the given pdfs or of all.

        Raises KaldiError for features of another dimension, or that are not finite.
        """
        if not np.isfinite(feats).all():
            raise KaldiError("Invalid answer (overflow or invalid variances/features?)")
        if pdfs is None:
            scores, sizes = self.gaussian_log_likelihoods(feats, slice(None)), self.sizes
        else:
            chosen = np.asarray(pdfs)
            scores, sizes = self.gaussian_log_likelihoods(feats, self.gaussians_of(chosen)), self.sizes[chosen]
        made: np.ndarray = _csrc.mixtures_summed(scores, sizes)
        return made

    # Files.

    @classmethod
    def read(cls, stream: InputStream, binary: bool) -> Mixtures:
        """Raises KaldiError where the file does not hold mixtures of one dimension."""
        basic_io.expect_token(stream, binary, "<DIMENSION>")
        dim = basic_io.read_int32(stream, binary)
        basic_io.expect_token(stream, binary, "<NUMPDFS>")
        count = basic_io.read_int32(stream, binary)
        if count <= 0 or not stream.holds(count):
            raise KaldiError(f"{stream.where()}: {count} is no number of pdfs, or the file is truncated")
        weights: list[np.ndarray] = []
        means: list[np.ndarray] = []
        variances: list[np.ndarray] = []
        for pdf in range(count):
            mixture = _read_mixture(stream, binary)
            for parts, part in zip((weights, means, variances), mixture, strict=True):
                parts.append(part)
            if means[-1].shape[1] != dim:
                raise KaldiError(f"{stream.where()}: weights, means and variances of pdf {pdf} do not fit together")
        offsets = np.concatenate([[0], np.cumsum([len(w) for w in weights])])
        try:
            return cls(offsets, np.concatenate(weights), np.concatenate(means), np.concatenate(variances))
        except KaldiError as error:
            raise KaldiError(f"{stream.name}: {error}") from None

    @classmethod
    def read_single(cls, stream: InputStream, binary: bool) -> Mixtures:
        """One mixture alone, such as a universal background model (final.dubm). Raises KaldiError."""
        weights, means, variances = _read_mixture(stream, binary)
        try:
            return cls(np.array([0, len(weights)]), weights, means, variances)
        except KaldiError as error:
            raise KaldiError(f"{stream.name}: {error}") from None

    def write(self, stream: OutputStream, binary: bool) -> None:
        basic_io.write_token(stream, binary, "<DIMENSION>")
        basic_io.write_int32(stream, binary, self.dim)
        basic_io.write_token(stream, binary, "<NUMPDFS>")
        basic_io.write_int32(stream, binary, self.num_pdfs)
        for begin, end in zip(self.offsets[:-1].tolist(), self.offsets[1:].tolist(), strict=True):
            self._write_mixture(stream, binary, slice(begin, end))

    def write_single(self, stream: OutputStream, binary: bool) -> None:
        """The first mixture alone, as ``read_single`` reads it."""
        self._write_mixture(stream, binary, slice(0, int(self.offsets[1])))

    def _write_mixture(self, stream: OutputStream, binary: bool, own: slice) -> None:
        newline = b"" if binary else b"\n"
        basic_io.write_token(stream, binary, "<DiagGMM>")
        stream.write(newline)
        basic_io.write_token(stream, binary, "<GCONSTS>")
        write_vector(stream, binary, self.constants[own])
        basic_io.write_token(stream, binary, "<WEIGHTS>")
        write_vector(stream, binary, self.weights[own])
        basic_io.write_token(stream, binary, "<MEANS_INVVARS>")
        write_matrix(stream, binary, self.scaled_means[own])
        basic_io.write_token(stream, binary, "<INV_VARS>")
        write_matrix(stream, binary, self.inverse_variances[own])
        basic_io.write_token(stream, binary, "</DiagGMM>")
        stream.write(newline)


def _read_mixture(stream: InputStream, binary: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Weights [gaussians], and m / v and 1 / v [gaussians, dim]."""
    _expect(stream, binary, "<DiagGMM>", "<DiagGMMBegin>")
    if _expect(stream, binary, "<GCONSTS>", "<WEIGHTS>") == "<GCONSTS>":
        read_vector(stream, binary)  # computed again from the rest
        basic_io.expect_token(stream, binary, "<WEIGHTS>")
    weights = read_vector(stream, binary)
    basic_io.expect_token(stream, binary, "<MEANS_INVVARS>")
    means = read_matrix(stream, binary)
    basic_io.expect_token(stream, binary, "<INV_VARS>")
    variances = read_matrix(stream, binary)
    _expect(stream, binary, "</DiagGMM>", "<DiagGMMEnd>")
    if not len(weights) or len(means) != len(weights) or means.shape != variances.shape:
        raise KaldiError(f"{stream.where()}: weights, means and variances of a mixture do not fit together")
    return weights, means, variances


def _expect(stream: InputStream, binary: bool, *tokens: str) -> str:
    token = basic_io.read_token(stream, binary)
    if token not in tokens:
        raise KaldiError(f"{stream.where()}: expected {' or '.join(tokens)}, got {token}")
    return token


MIXTURES = ObjectHolder(Mixtures.read, lambda stream, binary, value: value.write(stream, binary))

"""Probabilistic linear discriminant analysis of i-vectors (ivector/plda.cc, after Ioffe, ECCV 2006).

An i-vector is a speaker's own vector, drawn around a mean with the between-class covariance, plus noise with the
within-class covariance. ``transform`` makes the within-class covariance the unit matrix and the between-class one
diagonal, with the elements psi. In that space, u the mean of n vectors of a speaker, another vector v of the speaker
has the mean n psi / (n psi + 1) u and the variance 1 + psi / (n psi + 1); one of anybody the mean 0 and the variance
1 + psi. The score of a trial is the logarithm of the ratio of these two likelihoods.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.command import option
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.basic_io import expect_token, read_header, write_header, write_token
from kaldi_bridge.io.matrix_io import read_matrix, read_vector, write_matrix, write_vector
from kaldi_bridge.io.streams import open_input, open_output
from kaldi_bridge.ivectors.covariances import eigenvalues, inverse


@dataclass
class PldaOptions:
    """Kaldi's PldaConfig: what is done to the length of i-vectors."""

    normalize_length: bool = option(
        True, "Scale transformed i-vectors so that their length, measured by the covariance expected of them, is right"
    )
    simple_length_normalization: bool = option(
        False, "Scale them to the square root of their dimension instead, whatever their covariance"
    )


@dataclass(frozen=True)
class Plda:
    """A PLDA model.

    Attributes:
        mean: float64 [dim], of i-vectors.
        transform: float64 [dim, dim], to be applied after the mean is subtracted.
        psi: float64 [dim], the variances between speakers in the transformed space, in descending order.
    """

    mean: np.ndarray
    transform: np.ndarray
    psi: np.ndarray

    @property
    def dim(self) -> int:
        """Of i-vectors."""
        return len(self.mean)

    def transformed(
        self, ivectors: np.ndarray, counts: np.ndarray | int, options: PldaOptions
    ) -> tuple[np.ndarray, np.ndarray]:
        """float32 [N, dim] of i-vectors [N, dim], means of ``counts`` [N] vectors each, and the factors [N] of length.

        The factors are told where they are not applied, too. Raises KaldiError for another dimension, or counts that
        are not positive.
        """
        if ivectors.shape[1] != self.dim:
            raise KaldiError(f"i-vectors of dimension {ivectors.shape[1]}, but the PLDA model has {self.dim}")
        counts = np.broadcast_to(counts, len(ivectors))
        if (counts <= 0).any():
            raise KaldiError(f"the number of utterances of a speaker must be positive, not {counts.min()}")
        result = (ivectors.astype(np.float64) - self.mean) @ self.transform.T
        if options.simple_length_normalization:
            lengths = (result**2).sum(axis=1)
        else:
            lengths = (result**2 / (self.psi + 1.0 / counts[:, np.newaxis])).sum(axis=1)
        factors = np.sqrt(self.dim / lengths)
        if options.normalize_length:
            result *= factors[:, np.newaxis]
        return result.astype(np.float32), factors

    def scorer(self, speakers: np.ndarray, counts: np.ndarray | int) -> SpeakerScorer:
        """Scores against speakers, given as transformed means [N, dim] of ``counts`` [N] vectors each."""
        n = np.broadcast_to(counts, len(speakers))[:, np.newaxis].astype(np.float64)
        shrink = self.psi / (n * self.psi + 1.0)
        means, variances = n * shrink * speakers.astype(np.float64), 1.0 + shrink
        anybody = 1.0 + self.psi
        constant = np.log(anybody) - np.log(variances) - means**2 / variances
        return SpeakerScorer(0.5 * (1.0 / anybody - 1.0 / variances), means / variances, 0.5 * constant.sum(axis=1))

    def smoothed(self, factor: float) -> Plda:
        """With this much of the between-class covariance added to the one within classes. Raises KaldiError.

        For models of few utterances per speaker.
        """
        if not 0 <= factor <= 1:
            raise KaldiError(f"--smoothing={factor:g} must be between 0 and 1")
        log.info(f"Smoothing within-class covariance by {factor:g}, Psi is initially: {vector_text(self.psi)}")
        within = 1.0 + factor * self.psi
        psi = self.psi / within
        log.info(f"New value of Psi is {vector_text(psi)}")
        return Plda(self.mean, self.transform / np.sqrt(within)[:, np.newaxis], psi)

    def projected(self, matrix: np.ndarray) -> Plda:
        """The model of i-vectors that were multiplied by ``matrix`` [fewer, dim] first. Raises KaldiError."""
        rows, columns = matrix.shape
        if columns != self.dim or rows > self.dim:
            raise KaldiError(f"a transform of {rows} by {columns} for a PLDA model of dimension {self.dim}")
        back = matrix @ inverse(self.transform, "the transform of the PLDA model")
        return from_covariances(matrix @ self.mean, back @ back.T, (back * self.psi) @ back.T)


@dataclass(frozen=True)
class SpeakerScorer:
    """Scores of vectors v against N speakers: ``v² · quadratic + v · linear + constant``, each [N, dim] or [N]."""

    quadratic: np.ndarray
    linear: np.ndarray
    constant: np.ndarray

    def all_pairs(self, vectors: np.ndarray) -> np.ndarray:
        """float32 [N, M] of transformed vectors [M, dim]."""
        values = vectors.astype(np.float64)
        scores = self.quadratic @ (values**2).T + self.linear @ values.T + self.constant[:, np.newaxis]
        return scores.astype(np.float32)

    def pairs(self, speakers: np.ndarray, vectors: np.ndarray) -> np.ndarray:
        """float32 [T], of the speaker with each of these numbers [T] and transformed vectors [T, dim]."""
        values = vectors.astype(np.float64)
        scores = ((self.quadratic[speakers] * values + self.linear[speakers]) * values).sum(axis=1)
        return (scores + self.constant[speakers]).astype(np.float32)


def from_covariances(mean: np.ndarray, within: np.ndarray, between: np.ndarray) -> Plda:
    """The model of these covariances [dim, dim]. Signs of the rows of its transform are arbitrary.

    Raises KaldiError where the within-class covariance is not positive definite.
    """
    try:
        whitening = np.linalg.inv(np.linalg.cholesky(within))
    except np.linalg.LinAlgError:
        raise KaldiError(
            "the within-class covariance is not positive definite: too little data, or all alike"
        ) from None
    psi, directions = eigenvalues(whitening @ between @ whitening.T, "the between-class covariance")
    floored = int((psi < 0).sum())
    if floored:
        log.warning(f"Floored {floored} eigenvalues of between-class variance to zero.")
    return Plda(mean, directions.T @ whitening, np.maximum(psi, 0.0))


def read_plda(rxfilename: str) -> Plda:
    """A model in a file. Raises KaldiError."""
    with open_input(rxfilename) as stream:
        binary = read_header(stream)
        expect_token(stream, binary, "<Plda>")
        mean = read_vector(stream, binary, np.float64)
        transform = read_matrix(stream, binary, np.float64)
        psi = read_vector(stream, binary, np.float64)
        expect_token(stream, binary, "</Plda>")
    dim = len(mean)
    if not dim or transform.shape != (dim, dim) or psi.shape != (dim,):
        raise KaldiError(
            f"{rxfilename}: a PLDA model with a mean of {dim}, a transform of {' by '.join(map(str, transform.shape))} "
            f"and {len(psi)} variances"
        )
    if not all(np.isfinite(array).all() for array in (mean, transform, psi)) or psi.min() < 0:
        raise KaldiError(f"{rxfilename}: a PLDA model with negative variances, or numbers that are not finite")
    return Plda(mean, transform, psi)


def write_plda(wxfilename: str, binary: bool, plda: Plda) -> None:
    """Writes a model to a file. Raises KaldiError."""
    with open_output(wxfilename) as stream:
        write_header(stream, binary)
        write_token(stream, binary, "<Plda>")
        write_vector(stream, binary, plda.mean)
        write_matrix(stream, binary, plda.transform)
        write_vector(stream, binary, plda.psi)
        write_token(stream, binary, "</Plda>")


def vector_text(vector: np.ndarray) -> str:
    """As Kaldi's log lines show a vector."""
    return f" [ {' '.join(f'{value:g}' for value in vector)} ]\n"

"""What an i-vector extractor is estimated from (ivector/ivector-extractor.cc, IvectorExtractorStats).

Of an utterance u with posteriors p(t, i) of the Gaussians i in frames x(t), let g_i = sum_t p, X_i = sum_t p x,
and v, V the mean and variance of its i-vector. Sums go over utterances:

    gamma_i = sum g_i,  Y_i = sum X_i v',  R_i = sum g_i (v v' + V),  S_i = sum_t p x x'
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kaldi_bridge.errors import KaldiError
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
from kaldi_bridge.io.sums import sum_of_files


class TrainingStatistics:
    """All in double precision; packed: the lower triangle of a symmetric matrix [n (n + 1) / 2].

    Attributes:
        objective: the auxiliary function, 0 where it was not computed.
        gamma: [gaussians]. y: [gaussians, feature dim, i-vector dim]. r: [gaussians, packed i-vector dim].
        q, g: second and first order of weight projections, [gaussians, packed i-vector dim] and [gaussians, i-vector
            dim]; both [0, 0] where weights are fixed.
        s: [gaussians, feature dim, feature dim], or [0, ...] where variances are not to be updated.
        num_ivectors, ivector_sum [i-vector dim], ivector_scatter [packed i-vector dim]: of all utterances.
    """

    def __init__(
        self, num_gaussians: int, feature_dim: int, dim: int, with_weights: bool = False, with_variances: bool = True
    ) -> None:
        packed = dim * (dim + 1) // 2
        self.objective = 0.0
        self.gamma = np.zeros(num_gaussians)
        self.y = np.zeros((num_gaussians, feature_dim, dim))
        self.r = np.zeros((num_gaussians, packed))
        self.q = np.zeros((num_gaussians, packed) if with_weights else (0, 0))
        self.g = np.zeros((num_gaussians, dim) if with_weights else (0, 0))
        self.s = np.zeros((num_gaussians if with_variances else 0, feature_dim, feature_dim))
        self.num_ivectors = 0.0
        self.ivector_sum, self.ivector_scatter = np.zeros(dim), np.zeros(packed)

    def _arrays(self) -> tuple[np.ndarray, ...]:
        return self.gamma, self.y, self.r, self.q, self.g, self.s, self.ivector_sum, self.ivector_scatter

    def add(self, other: TrainingStatistics) -> None:
        """Raises KaldiError when the other's are of an extractor of another size."""
        if [a.shape for a in self._arrays()] != [a.shape for a in other._arrays()]:
            raise KaldiError("statistics of extractors of different sizes cannot be added")
        for total, part in zip(self._arrays(), other._arrays(), strict=True):
            total += part
        self.objective += other.objective
        self.num_ivectors += other.num_ivectors

    # Files.

    @classmethod
    def read(cls, stream: InputStream, binary: bool) -> TrainingStatistics:
        """Raises KaldiError where the file does not hold statistics."""
        basic_io.expect_token(stream, binary, "<IvectorExtractorStats>")
        basic_io.expect_token(stream, binary, "<TotAuxf>")
        objective = basic_io.read_double(stream, binary)
        basic_io.expect_token(stream, binary, "<gamma>")
        gamma = read_vector(stream, binary, np.float64)
        basic_io.expect_token(stream, binary, "<Y>")
        y = [read_matrix(stream, binary, np.float64) for _ in range(_read_count(stream, binary))]
        if not y or not y[0].size:
            raise KaldiError(f"{stream.where()}: statistics of no Gaussian")
        dims = y[0].shape[0], y[0].shape[1]
        made = cls(len(y), *dims)
        basic_io.expect_token(stream, binary, "<R>")
        made.r = read_matrix(stream, binary, np.float64)
        basic_io.expect_token(stream, binary, "<Q>")
        made.q = read_matrix(stream, binary, np.float64)
        basic_io.expect_token(stream, binary, "<G>")
        made.g = read_matrix(stream, binary, np.float64)
        basic_io.expect_token(stream, binary, "<S>")
        s = [read_packed(stream, binary, np.float64) for _ in range(_read_count(stream, binary))]
        basic_io.expect_token(stream, binary, "<NumIvectors>")
        made.num_ivectors = basic_io.read_double(stream, binary)
        basic_io.expect_token(stream, binary, "<IvectorSum>")
        made.ivector_sum = read_vector(stream, binary, np.float64)
        basic_io.expect_token(stream, binary, "<IvectorScatter>")
        made.ivector_scatter = read_packed(stream, binary, np.float64)
        basic_io.expect_token(stream, binary, "</IvectorExtractorStats>")
        expected = cls(len(y), dims[0], dims[1], made.q.size > 0, len(s) > 0)
        if any(m.shape != y[0].shape for m in y) or any(packed_size(len(m)) != y[0].shape[0] for m in s):
            raise KaldiError(f"{stream.name}: statistics of Gaussians of different dimensions")
        made.objective, made.gamma, made.y = objective, gamma, np.stack(y)
        made.s = np.stack([unpack_symmetric(m) for m in s]) if s else expected.s
        if [a.shape for a in made._arrays()] != [a.shape for a in expected._arrays()]:
            raise KaldiError(f"{stream.name}: statistics whose sizes do not fit together")
        return made

    def write(self, stream: OutputStream, binary: bool) -> None:
        """The two largest, ``r`` and ``q``, in single precision, as Kaldi does."""
        basic_io.write_token(stream, binary, "<IvectorExtractorStats>")
        basic_io.write_token(stream, binary, "<TotAuxf>")
        basic_io.write_double(stream, binary, self.objective)
        basic_io.write_token(stream, binary, "<gamma>")
        write_vector(stream, binary, self.gamma)
        basic_io.write_token(stream, binary, "<Y>")
        basic_io.write_int32(stream, binary, len(self.y))
        for own in self.y:
            write_matrix(stream, binary, own)
        basic_io.write_token(stream, binary, "<R>")
        write_matrix(stream, binary, self.r.astype(np.float32))
        basic_io.write_token(stream, binary, "<Q>")
        write_matrix(stream, binary, self.q.astype(np.float32))
        basic_io.write_token(stream, binary, "<G>")
        write_matrix(stream, binary, self.g)
        basic_io.write_token(stream, binary, "<S>")
        basic_io.write_int32(stream, binary, len(self.s))
        for own in self.s:
            write_packed(stream, binary, pack_symmetric(own))
        basic_io.write_token(stream, binary, "<NumIvectors>")
        basic_io.write_double(stream, binary, self.num_ivectors)
        basic_io.write_token(stream, binary, "<IvectorSum>")
        write_vector(stream, binary, self.ivector_sum)
        basic_io.write_token(stream, binary, "<IvectorScatter>")
        write_packed(stream, binary, self.ivector_scatter)
        basic_io.write_token(stream, binary, "</IvectorExtractorStats>")


def _read_count(stream: InputStream, binary: bool) -> int:
    count = basic_io.read_int32(stream, binary)
    if count < 0 or not stream.holds(count):
        raise KaldiError(f"{stream.where()}: {count} is no number of Gaussians, or the file is truncated")
    return count


def read_statistics(rxfilename: str) -> TrainingStatistics:
    """Raises KaldiError."""
    with open_input(rxfilename) as stream:
        return TrainingStatistics.read(stream, basic_io.read_header(stream))


def sum_statistics(rxfilenames: Sequence[str], all_at_once: bool = False) -> TrainingStatistics:
    """As ``sum_of_files``."""
    return sum_of_files(TrainingStatistics.read, rxfilenames, all_at_once=all_at_once)


def write_statistics(wxfilename: str, statistics: TrainingStatistics, binary: bool = True) -> None:
    """What an extractor is trained on, a file by itself."""
    with open_output(wxfilename) as stream:
        basic_io.write_header(stream, binary)
        statistics.write(stream, binary)

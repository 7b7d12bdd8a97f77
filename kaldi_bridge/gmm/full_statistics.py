"""Statistics of one mixture of Gaussians with full covariances (gmm/mle-full-gmm.cc)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.gmm.full_model import FullMixture
from kaldi_bridge.gmm.global_statistics import FLAGS, read_sizes, write_sizes
from kaldi_bridge.gmm.selection import all_selected, by_gaussian, shares
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
from kaldi_bridge.tables.integer_lists import RaggedIntegers
from kaldi_bridge.tables.posterior import SparsePosterior

_BUFFERED_PAIRS = 500_000


def full_posteriors(
    mixture: FullMixture, feats: np.ndarray, selection: RaggedIntegers | None = None
) -> tuple[SparsePosterior, np.ndarray]:
    """Posteriors of features [frames, dim] among the Gaussians selected, and log-likelihoods float32 [frames].

    Raises KaldiError for features of another dimension, or that are not finite.
    """
    selection = selection or all_selected(len(feats), mixture.num_gaussians)
    if not len(feats):
        return shares(np.zeros(len(selection.values), np.float32), selection)
    frames = np.repeat(np.arange(len(feats)), selection.counts)
    return shares(mixture.pair_log_likelihoods(feats, frames, selection.values), selection)


class FullStatistics:
    """Sums over frames, in double precision.

    Attributes:
        occupancy: [gaussians]. sums: [gaussians, dim]. products: [gaussians, dim, dim], of x x'.
        flags: which of them files hold.
    """

    def __init__(self, num_gaussians: int, dim: int, flags: int = 7) -> None:
        self.flags = flags
        self.occupancy = np.zeros(num_gaussians)
        self.sums = np.zeros((num_gaussians, dim))
        self.products = np.zeros((num_gaussians, dim, dim))

    def accumulate(self, feats: np.ndarray, posterior: SparsePosterior) -> None:
        """Adds features [frames, dim]. Raises KaldiError when they or the posteriors do not fit."""
        if len(feats) and feats.shape[1] != self.sums.shape[1]:
            raise KaldiError(f"features of dimension {feats.shape[1]}, but statistics of {self.sums.shape[1]}")
        indexes = posterior.indexes
        if len(indexes) and not 0 <= indexes.min() <= indexes.max() < len(self.occupancy):
            raise KaldiError(f"posteriors of a Gaussian {indexes.max()}, of {len(self.occupancy)}")
        values = feats.astype(np.float64)
        for gaussian, frames, weights in by_gaussian(posterior):
            own, weights = values[frames], weights.astype(np.float64)
            self.occupancy[gaussian] += weights.sum()
            if self.flags & FLAGS["m"]:
                self.sums[gaussian] += weights @ own
            if self.flags & FLAGS["v"]:
                self.products[gaussian] += (own.T * weights) @ own

    def add(self, other: FullStatistics) -> None:
        """Raises KaldiError when the other's are of another size, or hold other things."""
        if (self.sums.shape, self.flags) != (other.sums.shape, other.flags):
            raise KaldiError("dimension or flags mismatch (mixing accs from different models?)")
        self.occupancy += other.occupancy
        self.sums += other.sums
        self.products += other.products

    def _centres(self) -> np.ndarray:
        """Outer products of the sums over the occupancy, 0 where there is none [gaussians, dim, dim]."""
        seen = self.occupancy != 0
        means = np.where(seen[:, None], self.sums / np.where(seen, self.occupancy, 1.0)[:, None], 0.0)
        centres: np.ndarray = means[:, :, None] * self.sums[:, None, :]
        return centres

    # Files hold products about the means, in single precision.

    @classmethod
    def read(cls, stream: InputStream, binary: bool) -> FullStatistics:
        """Raises KaldiError where the file does not hold such statistics."""
        num_gaussians, dim, flags = read_sizes(stream, binary)
        made = cls(num_gaussians, dim, flags)
        basic_io.expect_token(stream, binary, "<OCCUPANCY>")
        made.occupancy = read_vector(stream, binary, np.float64)
        basic_io.expect_token(stream, binary, "<MEANACCS>")
        sums = read_matrix(stream, binary, np.float64)
        made.sums = sums if flags & FLAGS["m"] else made.sums
        if made.occupancy.shape != (num_gaussians,) or made.sums.shape != (num_gaussians, dim):
            raise KaldiError(f"{stream.where()}: not of {num_gaussians} Gaussians of dimension {dim}, as they say")
        if flags & FLAGS["v"]:
            basic_io.expect_token(stream, binary, "<FULLVARACCS>")
            packed = [read_packed(stream, binary, np.float64) for _ in range(num_gaussians)]
            if any(packed_size(len(p)) != dim for p in packed):
                raise KaldiError(f"{stream.where()}: covariances that are not of dimension {dim}")
            made.products = np.stack([unpack_symmetric(p) for p in packed]) + made._centres()
        basic_io.expect_token(stream, binary, "</GMMACCS>")
        return made

    def write(self, stream: OutputStream, binary: bool) -> None:
        write_sizes(stream, binary, len(self.occupancy), self.sums.shape[1], self.flags)
        basic_io.write_token(stream, binary, "<OCCUPANCY>")
        write_vector(stream, binary, self.occupancy.astype(np.float32))
        basic_io.write_token(stream, binary, "<MEANACCS>")
        write_matrix(stream, binary, (self.sums if self.flags & FLAGS["m"] else self.sums[:0]).astype(np.float32))
        if self.flags & FLAGS["v"]:
            basic_io.write_token(stream, binary, "<FULLVARACCS>")
            for product in self.products - self._centres():
                write_packed(stream, binary, pack_symmetric(product.astype(np.float32)))
        basic_io.write_token(stream, binary, "</GMMACCS>")


class FullAccumulator:
    """Collects the statistics of utterance after utterance, many frames at a time, as each Gaussian has few of them.

    Attributes:
        log_likelihood, frames: of all, weighted; complete once ``result`` was called.
    """

    def __init__(self, mixture: FullMixture, flags: int) -> None:
        self._mixture, self._statistics = mixture, FullStatistics(mixture.num_gaussians, mixture.dim, flags)
        self._parts: list[tuple[np.ndarray, RaggedIntegers, np.ndarray]] = []
        self._waiting = 0
        self.log_likelihood = self.frames = 0.0

    def add(self, feats: np.ndarray, selection: RaggedIntegers | None, weights: np.ndarray | None) -> None:
        """Features [frames, dim], which Gaussians they may belong to, weights [frames]; None: all, and 1.

        Raises KaldiError for features of another dimension, or that are not finite.
        """
        if not len(feats):
            return
        self._mixture.check_feats(feats)
        own = np.ones(len(feats), np.float32) if weights is None else weights
        self._parts.append((feats, selection or all_selected(len(feats), self._mixture.num_gaussians), own))
        self._waiting += len(self._parts[-1][1].values)
        if self._waiting > _BUFFERED_PAIRS:
            self._flush()

    def result(self) -> FullStatistics:
        """Of all that was added."""
        self._flush()
        return self._statistics

    def _flush(self) -> None:
        if not self._parts:
            return
        feats, weights = (np.concatenate([part[i] for part in self._parts]) for i in (0, 2))
        counts = np.concatenate([part[1].counts for part in self._parts])
        values = np.concatenate([part[1].values for part in self._parts])
        self._parts, self._waiting = [], 0
        selection = RaggedIntegers(np.concatenate([[0], np.cumsum(counts)]), values)
        posterior, likelihoods = full_posteriors(self._mixture, feats, selection)
        posterior.weights *= weights[posterior.frames]
        self._statistics.accumulate(feats, posterior)
        self.log_likelihood += float(likelihoods.astype(np.float64) @ weights)
        self.frames += float(weights.sum(dtype=np.float64))


def read_full_statistics(rxfilename: str) -> FullStatistics:
    """Raises KaldiError."""
    with open_input(rxfilename) as stream:
        return FullStatistics.read(stream, basic_io.read_header(stream))


def sum_full_statistics(rxfilenames: Sequence[str]) -> FullStatistics:
    """The sum of one or more files. Raises KaldiError, naming the file that does not fit the first."""
    return sum_of_files(FullStatistics.read, rxfilenames)


def write_full_statistics(wxfilename: str, statistics: FullStatistics, binary: bool = True) -> None:
    """Writes the file, whole or not at all."""
    with open_output(wxfilename) as stream:
        basic_io.write_header(stream, binary)
        statistics.write(stream, binary)

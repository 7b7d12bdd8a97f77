"""fMPE: offsets of features that are trained discriminatively (transform/fmpe.cc).

Of a Gaussian with posterior p, mean m and standard deviation s, a frame x has the high-dimensional feature
p [(x - m) / s; post_scale]. A projection takes those of all Gaussians to one part of dimension dim for each context; a
context is a weighted sum over frames nearby, (offset, weight) of each: "0,1:-1,1:1,1:-2,0.5;-3,0.5" has four. The sum
of the contexts, times the Cholesky factor of the features' covariance, is the offset.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.gmm.global_statistics import selected_posteriors
from kaldi_bridge.gmm.model import Mixtures
from kaldi_bridge.gmm.selection import by_gaussian
from kaldi_bridge.io import basic_io
from kaldi_bridge.io.matrix_io import (
    pack_symmetric,
    read_matrix,
    read_packed,
    unpack_symmetric,
    write_matrix,
    write_packed,
)
from kaldi_bridge.io.streams import InputStream, OutputStream, open_input, open_output
from kaldi_bridge.options import option
from kaldi_bridge.tables.integer_lists import RaggedIntegers

CONTEXTS = (
    "0,1.0:-1,1.0:1,1.0:-2,0.5;-3,0.5:2,0.5;3,0.5:-4,0.5;-5,0.5:4,0.5;5,0.5:"
    "-6,0.333;-7,0.333;-8,0.333:6,0.333;7,0.333;8,0.333"
)
_PAIR = re.compile(r"([-+]?[0-9]{1,6}),([-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?)")


@dataclass
class FmpeOptions:
    """Kaldi's FmpeOptions."""

    post_scale: float = option(
        5.0, "Scaling constant on posterior element of offset features, to give it a faster learning rate"
    )
    context_expansion: str = option(CONTEXTS, "Specifies the temporal context-splicing of high-dimensional features")


@dataclass
class FmpeUpdateOptions:
    """Kaldi's FmpeUpdateOptions."""

    learning_rate: float = option(0.1, "Learning rate constant (like inverse of E in fMPE papers)")
    l2_weight: float = option(100.0, "Weight on l2 regularization term in objective function")


def contexts_of(text: str) -> list[list[tuple[int, float]]]:
    """(offset, weight) of the frames of each context. Raises KaldiError for a malformed text."""
    contexts = []
    for context in text.split(":"):
        pairs = [_PAIR.fullmatch(pair) for pair in context.split(";")]
        if not all(pairs):
            raise KaldiError(f"Mal-formed context string: bad --context-expansion option? {context!r}")
        contexts.append([(int(pair[1]), float(pair[2])) for pair in pairs if pair])
    return contexts


class FmpeStatistics:
    """Derivatives of the objective by the projection, their positive and negative parts apart.

    ``plus``, ``minus``: float32, of the projection's size, neither negative. ``checks``: float64 [8, dim], sums of the
    positive and negative parts of direct, of indirect derivatives, and of both times the features.
    """

    def __init__(self, plus: np.ndarray, minus: np.ndarray, checks: np.ndarray) -> None:
        self.plus, self.minus, self.checks = plus, minus, checks

    def add(self, other: FmpeStatistics) -> None:
        """Raises KaldiError for statistics of another size."""
        if self.plus.shape != other.plus.shape or self.checks.shape != other.checks.shape:
            raise KaldiError("statistics of another size than those before")
        self.plus += other.plus
        self.minus += other.minus
        self.checks += other.checks

    def add_checks(self, feats: np.ndarray, direct: np.ndarray, indirect: np.ndarray) -> None:
        """Of features and derivatives [frames, dim]."""
        rows = [part for values in (direct, indirect, feats * direct, feats * indirect) for part in (values, -values)]
        self.checks += np.stack([np.maximum(row, 0).sum(axis=0, dtype=np.float64) for row in rows])

    def log_checks(self) -> None:
        """Whether direct and indirect derivatives cancel, as they do where only the whole is shifted or scaled."""
        if not self.checks.any():
            log.info("No checks will be done, probably indirect derivative was not used.")
            return
        for first, what in ((0, "Shift"), (4, "Scale")):
            a, b, c, d = self.checks[first : first + 4]
            total = a - b + c - d
            for bound, size, suffix in (
                ("should be in range +- 0.01 or less).", a + b + c + d, ""),
                ("most elements should be in range +-0.1: ", abs(a - b) + abs(c - d), "(2)"),
            ):
                values = " ".join(f"{value:g}" for value in total / size)
                begin = f"{what}-check{suffix} is as follows" + (" (" if not suffix else ": ")
                log.info(f"{begin}{bound} [ {values} ]")

    @classmethod
    def read(cls, stream: InputStream, binary: bool) -> FmpeStatistics:
        """Raises KaldiError where the file does not hold such statistics."""
        both, checks = read_matrix(stream, binary), read_matrix(stream, binary, np.float64)
        columns = both.shape[1] // 2
        if both.shape[1] % 2 or not both.size or len(checks) != 8 or not (both >= 0).all():
            raise KaldiError(f"{stream.where()}: no fMPE statistics")
        return cls(both[:, :columns].copy(), both[:, columns:].copy(), checks)

    def write(self, stream: OutputStream, binary: bool) -> None:
        write_matrix(stream, binary, np.hstack([self.plus, self.minus]))
        write_matrix(stream, binary, self.checks)


class Fmpe:
    """``mixture``: of one set of Gaussians. ``projection``: float32 [gaussians * (dim + 1), contexts * dim].

    ``factor``: float32 [dim, dim], a lower triangle. Raises KaldiError where they do not fit.
    """

    def __init__(self, mixture: Mixtures, options: FmpeOptions, projection: np.ndarray, factor: np.ndarray) -> None:
        self.mixture, self.options, self.projection, self.factor = mixture, options, projection, factor
        self._contexts = contexts_of(options.context_expansion)
        self._deviations = mixture.inverse_variances ** np.float32(-0.5)
        shape = mixture.num_gaussians * (mixture.dim + 1), len(self._contexts) * mixture.dim
        if projection.shape != shape or len(factor) != mixture.dim:
            raise KaldiError(
                f"a projection of size {projection.shape[0]} x {projection.shape[1]}, expected {shape[0]} x {shape[1]}"
            )

    @classmethod
    def initial(cls, mixture: Mixtures, options: FmpeOptions) -> Fmpe:
        """Whose offsets are zero. Raises KaldiError where the covariance of what the mixture models is singular."""
        weights, means = mixture.weights.astype(np.float64), mixture.means
        moments = (means * weights[:, None]).T @ means + np.diag(weights @ mixture.variances)
        mean = weights @ means / weights.sum()
        try:
            factor = np.linalg.cholesky(moments / weights.sum() - np.outer(mean, mean))
        except np.linalg.LinAlgError:
            raise KaldiError("the covariance of all that the mixture models is not positive definite") from None
        size = mixture.num_gaussians * (mixture.dim + 1), len(contexts_of(options.context_expansion)) * mixture.dim
        return cls(mixture, options, np.zeros(size, np.float32), factor.astype(np.float32))

    def offsets(self, feats: np.ndarray, selection: RaggedIntegers) -> np.ndarray:
        """float32 [frames, dim], of features [frames, dim] and the Gaussians that each frame may belong to.

        Raises KaldiError for features of another dimension or that are not finite.
        """
        parts = np.zeros((len(feats), self.projection.shape[1]), np.float32)
        for block, frames, values in self._high_dimensional(feats, selection):
            np.add.at(parts, frames, values @ self.projection[block])
        total = np.zeros_like(feats)
        for part, into, out_of, weight in self._shifts(parts):
            total[into] += weight * part[out_of]
        return total @ self.factor.T

    def statistics(self) -> FmpeStatistics:
        """Of no frames."""
        zeros = np.zeros((2, *self.projection.shape), np.float32)
        return FmpeStatistics(zeros[0], zeros[1], np.zeros((8, self.mixture.dim)))

    def accumulate(
        self, statistics: FmpeStatistics, feats: np.ndarray, selection: RaggedIntegers, derivatives: np.ndarray
    ) -> None:
        """Adds what the derivatives by the features that come out [frames, dim] are by the projection."""
        behind = derivatives @ self.factor
        parts = np.zeros((len(feats), self.projection.shape[1]), np.float32)
        for part, into, out_of, weight in self._shifts(parts):
            part[out_of] += weight * behind[into]
        positive, negative = np.maximum(parts, 0), np.maximum(-parts, 0)
        for block, frames, values in self._high_dimensional(feats, selection):
            up, down = np.maximum(values, 0).T, np.maximum(-values, 0).T
            statistics.plus[block] += up @ positive[frames] + down @ negative[frames]
            statistics.minus[block] += up @ negative[frames] + down @ positive[frames]

    def update(self, statistics: FmpeStatistics, options: FmpeUpdateOptions) -> None:
        """Changes the projection, each element at a rate by its own derivatives; logs what that should gain.

        Raises KaldiError for statistics of another size.
        """
        if statistics.plus.shape != self.projection.shape:
            raise KaldiError(f"statistics of size {statistics.plus.shape}, the projection is {self.projection.shape}")
        old, difference, size = self.projection, statistics.plus - statistics.minus, statistics.plus + statistics.minus
        inertia = size / np.float32(options.learning_rate)
        with np.errstate(invalid="ignore"):
            self.projection = (difference + old * inertia) / (np.float32(2 * options.l2_weight) + inertia)
        gain = ((self.projection - old) * difference).sum(dtype=np.float64)
        log.info(f"Objf impr (assuming linear) is {gain:g}")
        log.info(f"{100 * (self.projection * old < 0).mean():g}% of matrix elements changed sign.")

    def _high_dimensional(
        self, feats: np.ndarray, selection: RaggedIntegers
    ) -> Iterator[tuple[slice, np.ndarray, np.ndarray]]:
        """Of each Gaussian: its rows of the projection, frames, and its features [frames, dim + 1]."""
        posterior, _ = selected_posteriors(self.mixture, feats, selection)
        rows = self.mixture.dim + 1
        for gaussian, frames, weights in by_gaussian(posterior):
            deviation = self._deviations[gaussian]
            values = np.empty((len(frames), rows), np.float32)
            values[:, :-1] = feats[frames] / deviation - self.mixture.scaled_means[gaussian] * deviation
            values[:, -1] = self.options.post_scale
            yield slice(gaussian * rows, (gaussian + 1) * rows), frames, values * weights[:, None]

    def _shifts(self, parts: np.ndarray) -> Iterator[tuple[np.ndarray, slice, slice, np.float32]]:
        """Part of a context, frames that it is added to, frames of it, weight; what is beyond the ends is left out."""
        count, dim = len(parts), self.mixture.dim
        for number, context in enumerate(self._contexts):
            part = parts[:, number * dim : (number + 1) * dim]
            for offset, weight in context:
                begin, end = min(max(0, -offset), count), max(0, min(count, count - offset))
                if begin < end:
                    yield part, slice(begin, end), slice(begin + offset, end + offset), np.float32(weight)

    @classmethod
    def read(cls, rxfilename: str) -> Fmpe:
        """Raises KaldiError where the file does not hold an fMPE transform."""
        with open_input(rxfilename) as stream:
            binary = basic_io.read_header(stream)
            mixture = Mixtures.read_single(stream, binary)
            expansion = basic_io.read_token(stream, binary)
            options = FmpeOptions(context_expansion=expansion, post_scale=basic_io.read_float(stream, binary))
            projection, packed = read_matrix(stream, binary), read_packed(stream, binary)
            factor = np.tril(unpack_symmetric(packed))
            try:
                return cls(mixture, options, projection, factor)
            except KaldiError as error:
                raise KaldiError(f"{rxfilename}: {error}") from None

    def write(self, wxfilename: str, binary: bool = True) -> None:
        """Begins as a mixture's file does, so that what reads a mixture reads this."""
        with open_output(wxfilename) as stream:
            basic_io.write_header(stream, binary)
            self.mixture.write_single(stream, binary)
            basic_io.write_token(stream, binary, self.options.context_expansion)
            basic_io.write_float(stream, binary, self.options.post_scale)
            write_matrix(stream, binary, self.projection)
            write_packed(stream, binary, pack_symmetric(self.factor))

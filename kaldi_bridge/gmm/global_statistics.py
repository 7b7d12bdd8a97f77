"""Statistics of one mixture that stands alone, such as a universal background model (gmm/mle-diag-gmm.cc).

A sum goes over frames x with posteriors p(g) that the Gaussian g has of them, times the frames' weights.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.gmm.model import Mixtures
from kaldi_bridge.gmm.selection import all_selected, scored_gaussians, shares
from kaldi_bridge.gmm.statistics import Statistics
from kaldi_bridge.io import basic_io
from kaldi_bridge.io.matrix_io import read_matrix, read_vector, write_matrix, write_vector
from kaldi_bridge.io.streams import InputStream, OutputStream, open_input, open_output
from kaldi_bridge.io.sums import sum_of_files
from kaldi_bridge.tables.integer_lists import RaggedIntegers
from kaldi_bridge.tables.posterior import SparsePosterior

FLAGS = {"m": 1, "v": 2, "w": 4}  # means, variances, weights
_SCORES_AT_ONCE = 1 << 21


def flags_of(letters: str) -> int:
    """Of an option --update-flags; variances need means, and means weights (gmm/model-common.cc)."""
    if not letters or not set(letters) <= set(FLAGS):
        raise KaldiError(f"--update-flags={letters}: expected some of the letters {''.join(FLAGS)}")
    flags = FLAGS["w"]
    for letter in letters:
        flags |= FLAGS[letter]
    return flags | FLAGS["m"] if flags & FLAGS["v"] else flags


def check_flags(update: str, flags: int) -> None:
    """Raises KaldiError when an update needs more than there are statistics of."""
    if flags_of(update) & ~flags:
        raise KaldiError(f"the statistics lack what an update of {update} needs: see --update-flags of what made them")


def selected_posteriors(
    mixture: Mixtures, feats: np.ndarray, selection: RaggedIntegers | None
) -> tuple[SparsePosterior, np.ndarray]:
    """Posteriors of features [frames, dim] among the Gaussians selected, and log-likelihoods float32 [frames].

    Without a selection among all. Raises KaldiError for features of another dimension or that are not finite.
    """
    selection = selection or all_selected(len(feats), mixture.num_gaussians)
    if not len(feats):
        return shares(np.zeros(0, np.float32), selection)
    if not np.isfinite(feats).all():
        raise KaldiError("features that are infinite or not a number")
    scores = mixture.gaussian_log_likelihoods(feats, slice(None))
    frame_of = np.repeat(np.arange(len(feats)), selection.counts)
    return shares(scores[scored_gaussians(selection), frame_of], selection)


class GlobalStatistics(Statistics):
    """Those of one mixture, without transitions. ``flags``: which of them files hold."""

    def __init__(self, num_gaussians: int, dim: int, flags: int = 7) -> None:
        super().__init__(np.array([0, num_gaussians]), dim, 0)
        self.flags = flags

    def accumulate(
        self,
        mixture: Mixtures,
        feats: np.ndarray,
        weights: np.ndarray | None = None,
        selection: RaggedIntegers | None = None,
        others: np.ndarray | None = None,
    ) -> tuple[float, float]:
        """Adds features [frames, dim]; the log-likelihood and the number of these frames, both weighted.

        ``weights``: of frames, float32 [frames]. ``selection``: which Gaussians frames may belong to. ``others``: the
        features of these frames that are added instead. Raises KaldiError for features of another dimension or that are
        not finite, or others of another number of frames.
        """
        added = feats if others is None else others
        if len(added) != len(feats):
            raise KaldiError(f"{len(feats)} frames of first and {len(added)} of second features")
        if added.shape[1] != self.sums.shape[1]:
            raise KaldiError(f"features of dimension {added.shape[1]}, after ones of {self.sums.shape[1]}")
        if not (np.isfinite(feats).all() and np.isfinite(added).all()):
            raise KaldiError("features that are infinite or not a number")
        total = 0.0
        step = max(1, _SCORES_AT_ONCE // mixture.num_gaussians)
        own = np.ones(len(feats), np.float32) if weights is None else weights
        for begin in range(0, len(feats), step):
            part = slice(begin, begin + step)
            scores = mixture.gaussian_log_likelihoods(feats[part], slice(None))
            if selection is None:
                total += self._add_all(added[part], scores, own[part])
            else:
                total += self._add_selected(added[part], scores, own[part], selection[part])
        count = float(own.sum(dtype=np.float64))
        self.log_likelihood += total
        self.frames += count
        return total, count

    def _add_all(self, feats: np.ndarray, scores: np.ndarray, weights: np.ndarray) -> float:
        best = scores.max(axis=0)
        scores -= best
        np.exp(scores, out=scores)
        sums = scores.sum(axis=0)
        scores *= weights / sums
        self._add(feats, scores)
        return float((best + np.log(sums)).astype(np.float64) @ weights)

    def _add_selected(
        self, feats: np.ndarray, scores: np.ndarray, weights: np.ndarray, selection: RaggedIntegers
    ) -> float:
        frame_of = np.repeat(np.arange(len(feats)), selection.counts)
        posterior, likelihoods = shares(scores[scored_gaussians(selection), frame_of], selection)
        dense = np.zeros_like(scores)
        np.add.at(dense, (posterior.indexes, frame_of), posterior.weights * weights[frame_of])
        self._add(feats, dense)
        return float(likelihoods.astype(np.float64) @ weights)

    def _add(self, feats: np.ndarray, shares_of: np.ndarray) -> None:
        """Features [frames, dim] and how much of each belongs to which Gaussian [gaussians, frames]."""
        posteriors, values = shares_of.astype(np.float64), feats.astype(np.float64)
        self.occupancy += posteriors.sum(axis=1)
        if self.flags & FLAGS["m"]:
            self.sums += posteriors @ values
        if self.flags & FLAGS["v"]:
            self.squares += posteriors @ values**2

    # Files.

    @classmethod
    def read(cls, stream: InputStream, binary: bool) -> GlobalStatistics:
        """Raises KaldiError where the file does not hold statistics of one mixture."""
        num_gaussians, dim, flags = read_sizes(stream, binary)
        made = cls(num_gaussians, dim, flags)
        basic_io.expect_token(stream, binary, "<OCCUPANCY>")
        made.occupancy = read_vector(stream, binary, np.float64)
        basic_io.expect_token(stream, binary, "<MEANACCS>")
        sums = read_matrix(stream, binary, np.float64)
        basic_io.expect_token(stream, binary, "<DIAGVARACCS>")
        squares = read_matrix(stream, binary, np.float64)
        basic_io.expect_token(stream, binary, "</GMMACCS>")
        made.sums = sums if flags & FLAGS["m"] else made.sums
        made.squares = squares if flags & FLAGS["v"] else made.squares
        shape = (num_gaussians, dim)
        if len(made.occupancy) != num_gaussians or made.sums.shape != shape or made.squares.shape != shape:
            raise KaldiError(f"{stream.where()}: not of {num_gaussians} Gaussians of dimension {dim}, as they say")
        return made

    def write(self, stream: OutputStream, binary: bool) -> None:
        write_sizes(stream, binary, len(self.occupancy), self.sums.shape[1], self.flags)
        basic_io.write_token(stream, binary, "<OCCUPANCY>")
        write_vector(stream, binary, self.occupancy.astype(np.float32))
        for token, letter, values in (("<MEANACCS>", "m", self.sums), ("<DIAGVARACCS>", "v", self.squares)):
            basic_io.write_token(stream, binary, token)
            write_matrix(stream, binary, (values if self.flags & FLAGS[letter] else values[:0]).astype(np.float32))
        basic_io.write_token(stream, binary, "</GMMACCS>")


def read_sizes(stream: InputStream, binary: bool) -> tuple[int, int, int]:
    """How statistics of diagonal and of full covariances begin: the number of Gaussians, the dimension, the flags."""
    basic_io.expect_token(stream, binary, "<GMMACCS>")
    basic_io.expect_token(stream, binary, "<VECSIZE>")
    dim = basic_io.read_int32(stream, binary)
    basic_io.expect_token(stream, binary, "<NUMCOMPONENTS>")
    count = basic_io.read_int32(stream, binary)
    basic_io.expect_token(stream, binary, "<FLAGS>")
    flags = basic_io.read_uint16(stream, binary)
    if dim <= 0 or count <= 0 or not stream.holds(count):
        raise KaldiError(f"{stream.where()}: {count} Gaussians of dimension {dim}, or the file is truncated")
    return count, dim, flags


def write_sizes(stream: OutputStream, binary: bool, num_gaussians: int, dim: int, flags: int) -> None:
    """What stands before the statistics of a mixture."""
    basic_io.write_token(stream, binary, "<GMMACCS>")
    basic_io.write_token(stream, binary, "<VECSIZE>")
    basic_io.write_int32(stream, binary, dim)
    basic_io.write_token(stream, binary, "<NUMCOMPONENTS>")
    basic_io.write_int32(stream, binary, num_gaussians)
    basic_io.write_token(stream, binary, "<FLAGS>")
    basic_io.write_uint16(stream, binary, flags)


def read_statistics(rxfilename: str) -> GlobalStatistics:
    """Raises KaldiError."""
    with open_input(rxfilename) as stream:
        return GlobalStatistics.read(stream, basic_io.read_header(stream))


def sum_statistics(rxfilenames: Sequence[str]) -> GlobalStatistics:
    """The sum of one or more files. Raises KaldiError, naming the file that does not fit the first."""
    return sum_of_files(GlobalStatistics.read, rxfilenames)


def write_statistics(wxfilename: str, statistics: GlobalStatistics, binary: bool = True) -> None:
    """Statistics of one mixture, a file by itself."""
    with open_output(wxfilename) as stream:
        basic_io.write_header(stream, binary)
        statistics.write(stream, binary)

"""Statistics for LDA and transforms like it, as Kaldi's acc-lda writes them (transform/lda-estimate.cc)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io import basic_io, matrix_io
from kaldi_bridge.io.basic_io import write_header
from kaldi_bridge.io.input_stream import InputStream
from kaldi_bridge.io.output_stream import OutputStream
from kaldi_bridge.io.streams import open_output
from kaldi_bridge.io.sums import sum_of_files


class LdaStatistics:
    """Counts [classes], sums [classes, dim] and the sum of outer products [dim, dim], in double precision."""

    def __init__(self, num_classes: int, dim: int) -> None:
        self.counts = np.zeros(num_classes)
        self.sums = np.zeros((num_classes, dim))
        self.products = np.zeros((dim, dim))

    def accumulate(self, vectors: np.ndarray, rows: np.ndarray, classes: np.ndarray, weights: np.ndarray) -> None:
        """Vector number ``rows[i]`` of ``vectors`` [n, dim] counts for class ``classes[i]`` with ``weights[i]``."""
        if classes.size and not 0 <= classes.min() <= classes.max() < len(self.counts):
            raise KaldiError(f"a class of {classes.max()}, but there are only {len(self.counts)}")
        every = np.asarray(vectors, np.float64)
        order = np.argsort(classes, kind="stable")
        present, starts = np.unique(classes[order], return_index=True)
        if len(present):
            own = np.asarray(weights, np.float64)[order]
            self.counts[present] += np.add.reduceat(own, starts)
            weighted = every[rows[order]]
            weighted *= own[:, np.newaxis]
            self.sums[present] += np.add.reduceat(weighted, starts)
        of_row = np.bincount(rows, weights, len(every))
        self.products += (every.T * of_row) @ every

    def write(self, stream: OutputStream, binary: bool) -> None:
        """Files hold the sum of products about the means of the classes, in single precision."""
        within = self.products - self._between()
        basic_io.write_token(stream, binary, "<LDAACCS>")
        basic_io.write_token(stream, binary, "<VECSIZE>")
        basic_io.write_int32(stream, binary, self.sums.shape[1])
        basic_io.write_token(stream, binary, "<NUMCLASSES>")
        basic_io.write_int32(stream, binary, len(self.counts))
        basic_io.write_token(stream, binary, "<ZERO_ACCS>")
        matrix_io.write_vector(stream, binary, self.counts.astype(np.float32))
        basic_io.write_token(stream, binary, "<FIRST_ACCS>")
        matrix_io.write_matrix(stream, binary, self.sums.astype(np.float32))
        basic_io.write_token(stream, binary, "<SECOND_ACCS>")
        matrix_io.write_packed(stream, binary, matrix_io.pack_symmetric(within.astype(np.float32)))
        basic_io.write_token(stream, binary, "</LDAACCS>")

    @classmethod
    def read(cls, stream: InputStream, binary: bool) -> LdaStatistics:
        """Raises KaldiError when the stream holds no such statistics."""
        basic_io.expect_token(stream, binary, "<LDAACCS>")
        basic_io.expect_token(stream, binary, "<VECSIZE>")
        dim = basic_io.read_int32(stream, binary)
        basic_io.expect_token(stream, binary, "<NUMCLASSES>")
        classes = basic_io.read_int32(stream, binary)
        basic_io.expect_token(stream, binary, "<ZERO_ACCS>")
        counts = matrix_io.read_vector(stream, binary, np.float64)
        basic_io.expect_token(stream, binary, "<FIRST_ACCS>")
        sums = matrix_io.read_matrix(stream, binary, np.float64)
        basic_io.expect_token(stream, binary, "<SECOND_ACCS>")
        within = matrix_io.unpack_symmetric(matrix_io.read_packed(stream, binary, np.float64))
        basic_io.expect_token(stream, binary, "</LDAACCS>")
        if counts.shape != (classes,) or sums.shape != (classes, dim) or within.shape != (dim, dim):
            raise KaldiError(
                f"{stream.name}: statistics whose sizes do not fit their {classes} classes, dimension {dim}"
            )
        made = cls.__new__(cls)
        made.counts, made.sums = counts, sums
        made.products = within + made._between()
        return made

    def _between(self) -> np.ndarray:
        """The sum of outer products of the classes' means, each as often as it counts [dim, dim]."""
        seen = self.counts != 0.0
        return (self.sums[seen].T / self.counts[seen]) @ self.sums[seen]

    def add(self, other: LdaStatistics) -> None:
        """Raises KaldiError when their sizes differ."""
        if self.sums.shape != other.sums.shape:
            raise KaldiError(
                f"statistics of other sizes cannot be added: {other.sums.shape[0]} classes of dimension "
                f"{other.sums.shape[1]}, {self.sums.shape[0]} of {self.sums.shape[1]}"
            )
        self.counts += other.counts
        self.sums += other.sums
        self.products += other.products

    def covariances(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Mean [dim], covariance [dim, dim], and the part of it between the classes [dim, dim]."""
        count = self.counts.sum()
        mean = self.sums.sum(0) / count
        outer = np.outer(mean, mean)
        return mean, self.products / count - outer, self._between() / count - outer


def read_sum(rxfilenames: Sequence[str]) -> LdaStatistics:
    """The sum of the statistics of several files. Raises KaldiError."""
    return sum_of_files(LdaStatistics.read, rxfilenames)


def write_lda_statistics(statistics: LdaStatistics | None, wxfilename: str, binary: bool) -> None:
    """Raises KaldiError when nothing was counted."""
    if statistics is None or statistics.counts.sum() == 0.0:
        raise KaldiError("Accumulated no stats.")
    with open_output(wxfilename) as stream:
        write_header(stream, binary)
        statistics.write(stream, binary)
    log.info(f"Accumulated stats, soft frame count = {statistics.counts.sum():g}.  Wrote to {wxfilename}")

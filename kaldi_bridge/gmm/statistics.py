"""What a GMM is estimated from: how much of each frame belongs to each Gaussian (gmm/mle-am-diag-gmm.cc)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kaldi_bridge.errors import EntryError, KaldiError
from kaldi_bridge.gmm.acoustic_model import AcousticModel
from kaldi_bridge.io import basic_io
from kaldi_bridge.io.matrix_io import read_matrix, read_vector, write_matrix, write_vector
from kaldi_bridge.io.streams import InputStream, OutputStream, open_input, open_output

ALL_FLAGS = 15  # means, variances, weights, transitions: what the files say that they hold
_BUFFERED_FRAMES = 20_000


class Statistics:
    """Sums over frames; Gaussians are numbered as in the model's ``offsets``.

    Attributes:
        transitions: float64 [transition-ids + 1], how often each was taken.
        occupancy: float64 [gaussians]; sums, squares: float64 [gaussians, dim] of features and their squares.
        log_likelihood, frames: of all frames.
    """

    def __init__(self, offsets: np.ndarray, dim: int, num_transition_ids: int) -> None:
        self.offsets = offsets
        self.transitions = np.zeros(num_transition_ids + 1)
        self.occupancy = np.zeros(offsets[-1])
        self.sums, self.squares = np.zeros((offsets[-1], dim)), np.zeros((offsets[-1], dim))
        self.log_likelihood = self.frames = 0.0

    @property
    def pdf_occupancy(self) -> np.ndarray:
        """Frames of each pdf, float64 [pdfs]."""
        return np.add.reduceat(self.occupancy, self.offsets[:-1])

    def add(self, other: Statistics) -> None:
        """Raises KaldiError when the other's are of a model of another size."""
        shapes = [(s.transitions.shape, s.sums.shape, s.offsets.tolist()) for s in (self, other)]
        if shapes[0] != shapes[1]:
            raise KaldiError("statistics of models of different sizes cannot be added")
        for name in ("transitions", "occupancy", "sums", "squares"):
            total = getattr(self, name)
            total += getattr(other, name)
        self.log_likelihood += other.log_likelihood
        self.frames += other.frames

    # Files.

    @classmethod
    def read(cls, stream: InputStream, binary: bool) -> Statistics:
        """Raises KaldiError where the file does not hold statistics."""
        transitions = read_vector(stream, binary, np.float64)
        basic_io.expect_token(stream, binary, "<NUMPDFS>")
        count = basic_io.read_int32(stream, binary)
        if count <= 0 or not stream.holds(count):
            raise KaldiError(f"{stream.where()}: {count} is no number of pdfs, or the file is truncated")
        parts: dict[str, list[np.ndarray]] = {"<OCCUPANCY>": [], "<MEANACCS>": [], "<DIAGVARACCS>": []}
        dim = 0
        for _ in range(count):
            basic_io.expect_token(stream, binary, "<GMMACCS>")
            basic_io.expect_token(stream, binary, "<VECSIZE>")
            dim = basic_io.read_int32(stream, binary)
            basic_io.expect_token(stream, binary, "<NUMCOMPONENTS>")
            size = basic_io.read_int32(stream, binary)
            basic_io.expect_token(stream, binary, "<FLAGS>")
            basic_io.read_uint16(stream, binary)
            for token, values in parts.items():
                basic_io.expect_token(stream, binary, token)
                vector = token == "<OCCUPANCY>"
                values.append((read_vector if vector else read_matrix)(stream, binary, np.float64))
                if values[-1].shape != ((size,) if vector else (size, dim)):
                    raise KaldiError(f"{stream.where()}: {token} is not of {size} Gaussians of dimension {dim}")
            basic_io.expect_token(stream, binary, "</GMMACCS>")
        offsets = np.concatenate([[0], np.cumsum([len(v) for v in parts["<OCCUPANCY>"]])])
        made = cls(offsets, dim, len(transitions) - 1)
        made.transitions = transitions
        made.occupancy, made.sums, made.squares = (np.concatenate(values) for values in parts.values())
        basic_io.expect_token(stream, binary, "<total_like>")
        made.log_likelihood = basic_io.read_double(stream, binary)
        basic_io.expect_token(stream, binary, "<total_frames>")
        made.frames = basic_io.read_double(stream, binary)
        return made

    def write(self, stream: OutputStream, binary: bool) -> None:
        write_vector(stream, binary, self.transitions)
        basic_io.write_token(stream, binary, "<NUMPDFS>")
        basic_io.write_int32(stream, binary, len(self.offsets) - 1)
        for begin, end in zip(self.offsets[:-1].tolist(), self.offsets[1:].tolist(), strict=True):
            basic_io.write_token(stream, binary, "<GMMACCS>")
            basic_io.write_token(stream, binary, "<VECSIZE>")
            basic_io.write_int32(stream, binary, self.sums.shape[1])
            basic_io.write_token(stream, binary, "<NUMCOMPONENTS>")
            basic_io.write_int32(stream, binary, end - begin)
            basic_io.write_token(stream, binary, "<FLAGS>")
            basic_io.write_uint16(stream, binary, ALL_FLAGS)
            basic_io.write_token(stream, binary, "<OCCUPANCY>")
            write_vector(stream, binary, self.occupancy[begin:end].astype(np.float32))
            for token, values in (("<MEANACCS>", self.sums), ("<DIAGVARACCS>", self.squares)):
                basic_io.write_token(stream, binary, token)
                write_matrix(stream, binary, values[begin:end].astype(np.float32))
            basic_io.write_token(stream, binary, "</GMMACCS>")
        basic_io.write_token(stream, binary, "<total_like>")
        basic_io.write_double(stream, binary, self.log_likelihood)
        basic_io.write_token(stream, binary, "<total_frames>")
        basic_io.write_double(stream, binary, self.frames)


def sum_files(rxfilenames: Sequence[str]) -> Statistics:
    """The sum of the statistics in all files. Raises KaldiError, naming the file that does not fit the first."""
    total: Statistics | None = None
    for name in rxfilenames:
        with open_input(name) as stream:
            part = Statistics.read(stream, basic_io.read_header(stream))
        if total is None:
            total = part
            continue
        try:
            total.add(part)
        except KaldiError as error:
            raise KaldiError(f"{name}: {error}") from None
    if total is None:
        raise KaldiError("no files of statistics to sum")
    return total


def write_statistics(wxfilename: str, statistics: Statistics, binary: bool = True) -> None:
    with open_output(wxfilename) as stream:
        basic_io.write_header(stream, binary)
        statistics.write(stream, binary)


class Accumulator:
    """Collects the statistics of frames that belong to one pdf each; many frames at a time, pdf by pdf."""

    def __init__(self, model: AcousticModel) -> None:
        self._mixtures, self._transitions = model.mixtures, model.transitions
        self._statistics = Statistics(model.mixtures.offsets, model.mixtures.dim, model.transitions.num_transition_ids)
        self._feats: list[np.ndarray] = []
        self._pdfs: list[np.ndarray] = []
        self._waiting = 0

    def add(self, utterance: str, feats: np.ndarray, alignment: np.ndarray) -> None:
        """One utterance: features [frames, dim], transition-ids [frames].

        Raises EntryError, and adds nothing, when they have different lengths; KaldiError when they are of another model
        or a feature is not finite.
        """
        if len(alignment) != len(feats):
            raise EntryError(f"Alignments has wrong size {len(alignment)} vs. {len(feats)} (utterance {utterance})")
        if feats.shape[1] != self._mixtures.dim:
            raise KaldiError(f"features of dimension {feats.shape[1]}, but the model is for {self._mixtures.dim}")
        if not np.isfinite(feats).all():
            raise KaldiError("features that are infinite or not a number")
        self._transitions.accumulate(alignment, self._statistics.transitions)
        self._feats.append(feats)
        self._pdfs.append(self._transitions.id_to_pdf[alignment])
        self._waiting += len(feats)
        if self._waiting > _BUFFERED_FRAMES:
            self._flush()

    def result(self) -> Statistics:
        """All that was added."""
        self._flush()
        return self._statistics

    def _flush(self) -> None:
        if not self._feats:
            return
        feats, pdfs = np.concatenate(self._feats), np.concatenate(self._pdfs)
        self._feats, self._pdfs, self._waiting = [], [], 0
        order = np.argsort(pdfs, kind="stable")
        feats = feats[order]
        present, first = np.unique(pdfs[order], return_index=True)
        for pdf, begin, end in zip(present.tolist(), first.tolist(), [*first[1:].tolist(), len(feats)], strict=True):
            self._accumulate(pdf, feats[begin:end])

    def _accumulate(self, pdf: int, feats: np.ndarray) -> None:
        total = self._statistics
        gaussians = slice(*self._mixtures.offsets[pdf : pdf + 2].tolist())
        scores = self._mixtures.gaussian_log_likelihoods(feats, gaussians).astype(np.float64)
        best = scores.max(axis=0)
        shares = np.exp(scores - best)
        sums = shares.sum(axis=0)
        shares /= sums
        feats = feats.astype(np.float64)
        total.occupancy[gaussians] += shares.sum(axis=1)
        total.sums[gaussians] += shares @ feats
        total.squares[gaussians] += shares @ feats**2
        total.log_likelihood += float((best + np.log(sums)).sum())
        total.frames += len(feats)

"""What a GMM is estimated from: how much of each frame belongs to each Gaussian (gmm/mle-am-diag-gmm.cc)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kaldi_bridge.errors import EntryError, KaldiError
from kaldi_bridge.gmm.acoustic_model import AcousticModel
from kaldi_bridge.hmm.posterior import to_pdfs
from kaldi_bridge.io import basic_io
from kaldi_bridge.io.matrix_io import read_matrix, read_vector, write_matrix, write_vector
from kaldi_bridge.io.streams import InputStream, OutputStream, open_output
from kaldi_bridge.io.sums import sum_of_files
from kaldi_bridge.tables.posterior import SparsePosterior

FLAGS = {"m": 1, "v": 2, "w": 4, "t": 8, "a": 15}  # means, variances, weights, transitions, all of these
_FLAG_OF = {"<MEANACCS>": FLAGS["m"], "<DIAGVARACCS>": FLAGS["v"]}
_BUFFERED_FRAMES = 20_000


def only_flags_of(letters: str) -> int:
    """Of an option --update-flags (gmm/model-common.cc). Raises KaldiError for other letters."""
    if not letters or not set(letters) <= set(FLAGS):
        raise KaldiError(f"--update-flags={letters}: expected some of the letters {''.join(FLAGS)}")
    flags = 0
    for letter in letters:
        flags |= FLAGS[letter]
    return flags


def flags_of(letters: str) -> int:
    """The same with what these need: variances need means, and means weights."""
    flags = only_flags_of(letters)
    if flags & FLAGS["v"]:
        flags |= FLAGS["m"]
    return flags | FLAGS["w"]


class Statistics:
    """Sums over frames; Gaussians are numbered as in the model's ``offsets``.

    Attributes:
        transitions: float64 [transition-ids + 1], how often each was taken.
        occupancy: float64 [gaussians]; sums, squares: float64 [gaussians, dim] of features and their squares.
        log_likelihood, frames: of all frames.
        flags: which of them files hold (FLAGS).
    """

    def __init__(self, offsets: np.ndarray, dim: int, num_transition_ids: int, flags: int = FLAGS["a"]) -> None:
        self.offsets, self.flags = offsets, flags
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
        shapes = [(s.transitions.shape, s.sums.shape, s.flags, s.offsets.tolist()) for s in (self, other)]
        if shapes[0] != shapes[1]:
            raise KaldiError("statistics of models of different sizes cannot be added")
        for name in ("transitions", "occupancy", "sums", "squares"):
            total = getattr(self, name)
            total += getattr(other, name)
        self.log_likelihood += other.log_likelihood
        self.frames += other.frames

    def round_as_written(self) -> None:
        """To the single precision of files."""
        for name in ("occupancy", "sums", "squares"):
            setattr(self, name, getattr(self, name).astype(np.float32).astype(np.float64))

    # Files.

    @classmethod
    def read(cls, stream: InputStream, binary: bool) -> Statistics:
        """Raises KaldiError where the file does not hold statistics."""
        transitions = read_vector(stream, binary, np.float64)
        return cls.read_mixtures(stream, binary, transitions)

    @classmethod
    def read_mixtures(cls, stream: InputStream, binary: bool, transitions: np.ndarray | None = None) -> Statistics:
        """Where those of transitions do not come first (AccumAmDiagGmm). Raises KaldiError."""
        transitions = np.zeros(1) if transitions is None else transitions
        basic_io.expect_token(stream, binary, "<NUMPDFS>")
        count = basic_io.read_int32(stream, binary)
        if count <= 0 or not stream.holds(count):
            raise KaldiError(f"{stream.where()}: {count} is no number of pdfs, or the file is truncated")
        parts: dict[str, list[np.ndarray]] = {"<OCCUPANCY>": [], "<MEANACCS>": [], "<DIAGVARACCS>": []}
        dim = flags = 0
        for _ in range(count):
            basic_io.expect_token(stream, binary, "<GMMACCS>")
            basic_io.expect_token(stream, binary, "<VECSIZE>")
            dim = basic_io.read_int32(stream, binary)
            basic_io.expect_token(stream, binary, "<NUMCOMPONENTS>")
            size = basic_io.read_int32(stream, binary)
            basic_io.expect_token(stream, binary, "<FLAGS>")
            flags = basic_io.read_uint16(stream, binary)
            for token, values in parts.items():
                basic_io.expect_token(stream, binary, token)
                vector = token == "<OCCUPANCY>"
                value = (read_vector if vector else read_matrix)(stream, binary, np.float64)
                absent = not value.size and not flags & _FLAG_OF.get(token, 0)
                values.append(np.zeros((size, dim)) if absent and not vector else value)
                if values[-1].shape != ((size,) if vector else (size, dim)):
                    raise KaldiError(f"{stream.where()}: {token} is not of {size} Gaussians of dimension {dim}")
            basic_io.expect_token(stream, binary, "</GMMACCS>")
        offsets = np.concatenate([[0], np.cumsum([len(v) for v in parts["<OCCUPANCY>"]])])
        made = cls(offsets, dim, len(transitions) - 1, flags)
        made.transitions = transitions
        made.occupancy, made.sums, made.squares = (np.concatenate(values) for values in parts.values())
        basic_io.expect_token(stream, binary, "<total_like>")
        made.log_likelihood = basic_io.read_double(stream, binary)
        basic_io.expect_token(stream, binary, "<total_frames>")
        made.frames = basic_io.read_double(stream, binary)
        return made

    def write(self, stream: OutputStream, binary: bool) -> None:
        write_vector(stream, binary, self.transitions)
        self.write_mixtures(stream, binary)

    def write_mixtures(self, stream: OutputStream, binary: bool) -> None:
        """Without those of transitions."""
        basic_io.write_token(stream, binary, "<NUMPDFS>")
        basic_io.write_int32(stream, binary, len(self.offsets) - 1)
        for begin, end in zip(self.offsets[:-1].tolist(), self.offsets[1:].tolist(), strict=True):
            basic_io.write_token(stream, binary, "<GMMACCS>")
            basic_io.write_token(stream, binary, "<VECSIZE>")
            basic_io.write_int32(stream, binary, self.sums.shape[1])
            basic_io.write_token(stream, binary, "<NUMCOMPONENTS>")
            basic_io.write_int32(stream, binary, end - begin)
            basic_io.write_token(stream, binary, "<FLAGS>")
            basic_io.write_uint16(stream, binary, self.flags)
            basic_io.write_token(stream, binary, "<OCCUPANCY>")
            write_vector(stream, binary, self.occupancy[begin:end].astype(np.float32))
            for token, values in (("<MEANACCS>", self.sums), ("<DIAGVARACCS>", self.squares)):
                basic_io.write_token(stream, binary, token)
                write_matrix(
                    stream, binary, values[begin : end if self.flags & _FLAG_OF[token] else begin].astype("f4")
                )
            basic_io.write_token(stream, binary, "</GMMACCS>")
        basic_io.write_token(stream, binary, "<total_like>")
        basic_io.write_double(stream, binary, self.log_likelihood)
        basic_io.write_token(stream, binary, "<total_frames>")
        basic_io.write_double(stream, binary, self.frames)


def sum_files(rxfilenames: Sequence[str]) -> Statistics:
    """The sum of the statistics in all files. Raises KaldiError, naming the file that does not fit the first."""
    return sum_of_files(Statistics.read, rxfilenames)


def write_statistics(wxfilename: str, statistics: Statistics, binary: bool = True) -> None:
    """Statistics for gmm-est, as gmm-acc-stats-ali writes them."""
    with open_output(wxfilename) as stream:
        basic_io.write_header(stream, binary)
        statistics.write(stream, binary)


class Accumulator:
    """Collects the statistics of frames, each of which belongs to some pdfs; many frames at a time, pdf by pdf.

    ``dim``: of the statistics, where they are of other features than those of which likelihoods are computed.
    """

    def __init__(self, model: AcousticModel, dim: int | None = None, flags: int = FLAGS["a"]) -> None:
        self._mixtures, self._transitions = model.mixtures, model.transitions
        self._other_feats = dim is not None
        self._statistics = Statistics(
            model.mixtures.offsets, dim or model.mixtures.dim, model.transitions.num_transition_ids, flags
        )
        self._parts: list[tuple[np.ndarray, ...]] = []  # features, features to sum, pdfs, weights
        self._waiting = 0

    def add(self, utterance: str, feats: np.ndarray, alignment: np.ndarray) -> None:
        """One utterance: features [frames, dim], transition-ids [frames].

        Raises EntryError, and adds nothing, when they have different lengths; KaldiError when they are of another model
        or a feature is not finite.
        """
        if len(alignment) != len(feats):
            raise EntryError(f"Alignments has wrong size {len(alignment)} vs. {len(feats)} (utterance {utterance})")
        self._check(feats)
        self._transitions.accumulate(alignment, self._statistics.transitions)
        weights = np.ones(len(feats), np.float32)
        self._append(feats, feats, self._transitions.id_to_pdf[alignment], weights)

    def add_posterior(
        self, feats: np.ndarray, posterior: SparsePosterior, feats_to_sum: np.ndarray | None = None
    ) -> None:
        """One utterance: features [frames, dim], the posterior of their transition-ids, and, where the statistics are
        of other features, these [frames, dim]. Raises KaldiError as ``add``.
        """
        if len(posterior) != len(feats):
            raise KaldiError(f"Posterior vector has wrong size {len(posterior)} vs. {len(feats)}")
        self._check(feats)
        to_sum = feats if feats_to_sum is None else feats_to_sum
        if len(to_sum) != len(feats) or to_sum.shape[1] != self._statistics.sums.shape[1]:
            raise KaldiError(
                f"second features of size {len(to_sum)} x {to_sum.shape[1]}, expected {len(feats)} x "
                f"{self._statistics.sums.shape[1]}"
            )
        ids, counts = self._transitions.checked(posterior.indexes), self._statistics.transitions
        counts += np.bincount(ids, posterior.weights, len(counts))
        pdfs = to_pdfs(self._transitions, posterior)
        frames = pdfs.frames
        self._append(feats[frames], to_sum[frames] if self._other_feats else feats[frames], pdfs.indexes, pdfs.weights)

    def _check(self, feats: np.ndarray) -> None:
        if feats.shape[1] != self._mixtures.dim:
            raise KaldiError(f"features of dimension {feats.shape[1]}, but the model is for {self._mixtures.dim}")
        if not np.isfinite(feats).all():
            raise KaldiError("features that are infinite or not a number")

    def _append(self, *part: np.ndarray) -> None:
        if not len(part[0]):
            return  # a posterior with nothing in it
        self._parts.append(part)
        self._waiting += len(part[0])
        if self._waiting > _BUFFERED_FRAMES:
            self._flush()

    def result(self) -> Statistics:
        """All that was added."""
        self._flush()
        return self._statistics

    def _flush(self) -> None:
        if not self._parts:
            return
        feats, to_sum, pdfs, weights = (np.concatenate(columns) for columns in zip(*self._parts, strict=True))
        self._parts, self._waiting = [], 0
        order = np.argsort(pdfs, kind="stable")
        feats, to_sum, weights = feats[order], to_sum[order], weights[order]
        present, first = np.unique(pdfs[order], return_index=True)
        for pdf, begin, end in zip(present.tolist(), first.tolist(), [*first[1:].tolist(), len(feats)], strict=True):
            self._accumulate(pdf, feats[begin:end], to_sum[begin:end], weights[begin:end])

    def _accumulate(self, pdf: int, feats: np.ndarray, to_sum: np.ndarray, weights: np.ndarray) -> None:
        total = self._statistics
        gaussians = slice(*self._mixtures.offsets[pdf : pdf + 2].tolist())
        scores = self._mixtures.gaussian_log_likelihoods(feats, gaussians).astype(np.float64)
        best = scores.max(axis=0)
        shares = np.exp(scores - best)
        sums = shares.sum(axis=0)
        shares *= weights / sums
        to_sum = to_sum.astype(np.float64)
        total.occupancy[gaussians] += shares.sum(axis=1)
        if total.flags & FLAGS["m"]:
            total.sums[gaussians] += shares @ to_sum
        if total.flags & FLAGS["v"]:
            total.squares[gaussians] += shares @ to_sum**2
        total.log_likelihood += float((best + np.log(sums)) @ weights)
        total.frames += float(weights.sum(dtype=np.float64))

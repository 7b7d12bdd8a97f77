"""Targets of utterances: a pdf for each frame, or what a chain model shall say."""

from __future__ import annotations

import glob
import shlex
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import numpy as np

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.examples.supervision import SUPERVISION, SUPERVISION_SIZES, Supervision
from kaldi_bridge.examples.supervision_splitting import SupervisionSplitter
from kaldi_bridge.features.frame_store import FrameStore
from kaldi_bridge.hmm.alignments import pdfs_of
from kaldi_bridge.hmm.transition_model import read_transition_model
from kaldi_bridge.tables import RandomAccessReader, SequentialReader
from kaldi_bridge.tables.holders import INT32_VECTOR
from kaldi_bridge.tables.integer_batches import integer_batches
from nnet3_compat.chain.normalization import normalized_graph, read_normalization_fst


class Targets(Protocol):
    """Attributes:
    lengths: output frames of each utterance that has targets.
    num_pdfs: of the model to train.
    """

    lengths: dict[str, int]
    num_pdfs: int


class PdfTargets:
    """A pdf for each frame.

    Args:
        pdfs: int [frames] by utterance, or a store of one column.
        step: input frames for one frame of the alignments.
    """

    def __init__(self, pdfs: dict[str, np.ndarray] | FrameStore, num_pdfs: int, step: int = 1) -> None:
        self._pdfs, self.num_pdfs, self.step = pdfs, num_pdfs, step
        if isinstance(pdfs, FrameStore):
            self.lengths = pdfs.lengths
        else:
            self.lengths = {utterance: len(sequence) for utterance, sequence in pdfs.items()}

    @classmethod
    def of_store(cls, directory: str, step: int = 1) -> PdfTargets:
        """Of a store that make_pdfs.sh made, from which they are read as they are needed."""
        store = FrameStore(directory)
        if store.dim != 1 or store.dtype.kind != "i":
            raise KaldiError(f"the store {directory} holds {store.dtype} of dimension {store.dim}, not pdfs")
        return cls(store, read_transition_model(str(Path(directory) / "final.mdl")).num_pdfs, step)

    @classmethod
    def of_alignments(cls, directory: str, step: int = 1) -> PdfTargets:
        """Of a directory's ali.*.gz and final.mdl; ``step`` 3 for the alignments of a chain tree."""
        model = read_transition_model(str(Path(directory) / "final.mdl"))
        files = sorted(glob.glob(glob.escape(directory) + "/ali.*.gz"))
        if not files:
            raise KaldiError(f"no such files {directory}/ali.*.gz")
        dtype = np.int16 if model.num_pdfs < 1 << 15 else np.int32
        pdfs: dict[str, np.ndarray] = {}
        for file in files:
            with SequentialReader(f"ark:gunzip -c {shlex.quote(file)} |", INT32_VECTOR) as reader:
                for batch in integer_batches(reader):
                    pdfs.update(iter(batch.with_values(pdfs_of(model, batch, file).astype(dtype))))
        return cls(pdfs, model.num_pdfs, step)

    def pdfs(self, utterance: str, frames: np.ndarray) -> np.ndarray:
        """int64 [len(frames)], the pdfs at these input frames; -1 beyond the ends."""
        places, length = frames // self.step, self.lengths[utterance]
        inside = (places >= 0) & (places < length)
        nearest = np.clip(places, 0, length - 1)
        if isinstance(self._pdfs, FrameStore):
            first = int(nearest.min())
            sequence = self._pdfs.rows(utterance, first, int(nearest.max()) - first + 1)[:, 0]
            if not 0 <= sequence.min() <= sequence.max() < self.num_pdfs:
                raise KaldiError(
                    f"{self._pdfs.directory}: utterance {utterance} has a pdf {sequence.max()}, "
                    f"but the model beside it only {self.num_pdfs}"
                )
            return np.where(inside, sequence[nearest - first], -1).astype(np.int64)
        return np.where(inside, self._pdfs[utterance][nearest], -1).astype(np.int64)


class SupervisionTargets:
    """Supervisions of whole utterances, with all alternatives of their lattices, to be cut for each chunk.

    Args:
        scp: of the supervisions (make_supervisions.sh, chain-get-supervision).
        normalization_fst: of the denominator graph (chain-make-den-fst); ``scale``: of its weights.
    """

    def __init__(self, scp: str, normalization_fst: str, scale: float = 1.0) -> None:
        """Reads the heads of all supervisions. Raises KaldiError where one cannot be read."""
        self._path = scp
        self._normalization = read_normalization_fst(normalization_fst, scale)
        self._reader: RandomAccessReader[Supervision] | None = None
        self.lengths, self.num_pdfs = {}, 0
        with SequentialReader(f"scp:{scp}", SUPERVISION_SIZES) as reader:
            for utterance, sizes in reader:
                if sizes.num_sequences != 1 or self.num_pdfs not in (0, sizes.label_dim):
                    raise KaldiError(
                        f"{scp}: the supervision of utterance {utterance} is of {sizes.num_sequences} sequences and "
                        f"{sizes.label_dim} pdfs, others of one and {self.num_pdfs}"
                    )
                self.lengths[utterance], self.num_pdfs = sizes.frames_per_sequence, sizes.label_dim

    def _load(self, utterance: str) -> Supervision:
        if self._reader is None:
            self._reader = RandomAccessReader(f"scp:{self._path}", SUPERVISION)
        return self._reader[utterance]

    def part(self, utterance: str, first: int, count: int) -> Supervision:
        """Of ``count`` output frames from frame ``first``, with the weights of the normalization FST."""
        whole = self._load(utterance)
        made = normalized_graph(SupervisionSplitter(whole).graph(first, count), self._normalization)
        if made is None:
            raise KaldiError(
                f"output frames {first} to {first + count - 1}: the supervision has nothing in common with the "
                "normalization FST"
            )
        return replace(whole, frames_per_sequence=count, fst=made.to_fst())

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "_reader": None}

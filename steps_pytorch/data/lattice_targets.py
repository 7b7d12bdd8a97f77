"""Targets for MMI, MPFE and sMBR: of each utterance its alignment, and a lattice of what might have been said."""

from __future__ import annotations

import glob
import shlex
from pathlib import Path

import numpy as np

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.examples.discriminative_splitting import DiscriminativeSplitter, SplittingOptions
from kaldi_bridge.examples.discriminative_supervision import DiscriminativeSupervision
from kaldi_bridge.hmm.transition_model import TransitionModel
from kaldi_bridge.lattices.lattice import Lattice
from kaldi_bridge.lattices.lattice_files import LATTICE
from kaldi_bridge.tables import RandomAccessReader, SequentialReader
from kaldi_bridge.tables.holders import INT32_VECTOR
from kaldi_bridge.tables.scp import read_script

KEPT = 64  # utterances whose lattices are ready to be cut


class LatticeTargets:
    """To be cut for each chunk.

    Args:
        alignments: of utterances; those without a lattice are left out.
        scp: of the lattices.
    """

    def __init__(
        self,
        alignments: dict[str, np.ndarray],
        scp: str,
        model: TransitionModel,
        options: SplittingOptions,
    ) -> None:
        files = read_script(scp)
        self._alignments = {utterance: ids for utterance, ids in alignments.items() if utterance in files}
        self._scp, self._model, self._options = scp, model, options
        self.lengths = {utterance: len(ids) for utterance, ids in self._alignments.items()}
        self.num_pdfs = model.num_pdfs
        self._reader: RandomAccessReader[Lattice] | None = None
        self._splitters: dict[str, DiscriminativeSplitter] = {}

    @classmethod
    def of_directory(cls, directory: str, model: TransitionModel, options: SplittingOptions) -> LatticeTargets:
        """Of its ali.*.gz and lat.scp (train.sh makes that of lat.*.gz). Raises KaldiError where they are not there."""
        folder = Path(directory)
        files = sorted(glob.glob(glob.escape(directory) + "/ali.*.gz"))
        for name, there in (("lat.scp", (folder / "lat.scp").is_file()), ("ali.*.gz", bool(files))):
            if not there:
                raise KaldiError(f"no such file {folder / name}")
        alignments: dict[str, np.ndarray] = {}
        for file in files:
            with SequentialReader(f"ark:gunzip -c {shlex.quote(file)} |", INT32_VECTOR) as reader:
                alignments.update(reader)
        return cls(alignments, str(folder / "lat.scp"), model, options)

    def part(self, utterance: str, first: int, count: int) -> DiscriminativeSupervision:
        """Of ``count`` output frames from frame ``first``.

        Raises:
            KaldiError: the lattice cannot be read, or does not fit the alignment or the model.
        """
        if utterance not in self._splitters:
            if self._reader is None:
                self._reader = RandomAccessReader(f"scp:{self._scp}", LATTICE)
            whole = DiscriminativeSupervision.of_utterance(self._alignments[utterance], self._reader[utterance])
            if len(self._splitters) >= KEPT:
                del self._splitters[next(iter(self._splitters))]
            self._splitters[utterance] = DiscriminativeSplitter(whole, self._model, self._options)
        return self._splitters[utterance].part(first, count, normalize=True)

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "_reader": None, "_splitters": {}}

"""From a path to the times of words and phones, as results of recognition have them (recognition/results.py)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from kaldi_bridge.errors import EntryError
from kaldi_bridge.hmm.phone_sequence import phones_of
from kaldi_bridge.hmm.transition_model import TransitionModel
from kaldi_bridge.lang.symbol_table import SymbolTable
from kaldi_bridge.lattices.lattice import CompactLattice
from kaldi_bridge.lattices.linear import segments_of
from kaldi_bridge.lattices.word_alignment import LexiconAligner, WordAligner
from nnet3_compat.alignment.vocabulary import Spoken
from nnet3_compat.recognition.results import Result


class AlignedTimes:
    """Makes results of paths.

    Args:
        aligner: tells which phones belong to a word.
        phones: their names; None: results have none.
        frame_shift: seconds from one output of the network to the next.
    """

    def __init__(
        self,
        model: TransitionModel,
        aligner: WordAligner | LexiconAligner,
        phones: SymbolTable | None,
        frame_shift: float,
    ) -> None:
        self._model, self._aligner, self._phones, self._shift = model, aligner, phones, frame_shift

    def result(self, path: CompactLattice, spoken: Sequence[Spoken], start: float = 0.0) -> Result:
        """The words as they are written, and the phones, with their times in seconds from ``start`` seconds before.

        Raises EntryError where the path does not say the words.
        """
        segments = list(segments_of(self._aligner.align(path, warn=False).lattice))
        said = [segment for segment in segments if segment.word]
        expected = [number for _, numbers in spoken for number in numbers]
        if [segment.word for segment in said] != expected:
            raise EntryError("the path does not consist of the transcript's words")
        words: list[dict[str, Any]] = []
        rest = iter(said)
        for written, numbers in spoken:
            own = [next(rest) for _ in numbers]
            if own:
                begin, end = own[0].start, own[-1].start + len(own[-1].ids)
                words.append({"word": written, "start": self._time(begin, start), "end": self._time(end, start)})
        made: Result = {"text": " ".join(word["word"] for word in words), "result": words}
        if self._phones is not None:
            phones, lengths = phones_of(self._model, np.concatenate([segment.ids for segment in segments]))
            ends = np.cumsum(lengths)
            made["phones"] = [
                {"phone": self._phones[phone], "start": self._time(begin, start), "end": self._time(end, start)}
                for phone, begin, end in zip(phones.tolist(), (ends - lengths).tolist(), ends.tolist(), strict=True)
            ]
        return made

    def _time(self, frame: int, start: float) -> float:
        return start + frame * self._shift

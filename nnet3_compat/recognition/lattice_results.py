"""From the lattice of a search to results: words with times and confidences, alternatives, phones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from kaldi_bridge.hmm.phone_sequence import phones_of
from kaldi_bridge.hmm.transition_model import TransitionModel
from kaldi_bridge.lang.symbol_table import SymbolTable
from kaldi_bridge.lattices.lattice import CompactLattice
from kaldi_bridge.lattices.linear import segments_of
from kaldi_bridge.lattices.paths import best_path, n_best_paths
from kaldi_bridge.lattices.sausages import SausageOptions, minimum_bayes_risk
from kaldi_bridge.lattices.word_alignment import LexiconAligner, WordAligner

Entry = dict[str, Any]
Seconds = Callable[[float], float]
"""From frames of a search's lattice to the time in the stream."""


class LatticeResults:
    """Makes results of lattices.

    Args:
        aligner: None where nothing tells which phones words begin and end with, so that times are rough.
        phones: their names, where results with phones are to be made.
    """

    def __init__(
        self,
        model: TransitionModel,
        words: SymbolTable,
        aligner: WordAligner | LexiconAligner | None,
        phones: SymbolTable | None,
    ) -> None:
        self._model, self._words, self._aligner, self._phones = model, words, aligner, phones

    @property
    def knows_phones(self) -> bool:
        """Whether the names of the phones are known."""
        return self._phones is not None

    def best(self, lattice: CompactLattice, seconds: Seconds, partial: bool = False) -> tuple[str, list[Entry]]:
        """The text with the fewest expected errors, and its words with times and confidences.

        ``partial``: the last word may have begun only, and is left out then.
        """
        made = minimum_bayes_risk(self._aligned(lattice, not partial), SausageOptions())
        words = [self._words[word] for word in made.words]
        entries = [
            {"word": word, "start": seconds(begin), "end": seconds(end), "conf": float(confidence)}
            for word, (begin, end), confidence in zip(words, made.word_times, made.confidences, strict=True)
        ]
        return " ".join(words), entries

    def alternatives(self, lattice: CompactLattice, count: int, seconds: Seconds, with_words: bool) -> list[Entry]:
        """The cheapest paths, the best first."""
        return [self._alternative(path, seconds, with_words) for path in n_best_paths(lattice, count)]

    def _alternative(self, path: CompactLattice, seconds: Seconds, with_words: bool) -> Entry:
        entries = [
            {
                "word": self._words[segment.word],
                "start": seconds(segment.start),
                "end": seconds(segment.start + len(segment.ids)),
            }
            for segment in segments_of(self._aligned(path))
            if segment.word
        ]
        text = " ".join(str(entry["word"]) for entry in entries)
        cost = float(path.arc_costs.sum() + path.final_costs[-1])
        made = {"text": text, "confidence": -cost}
        return {**made, "result": entries} if with_words and entries else made

    def phones(self, lattice: CompactLattice, seconds: Seconds) -> list[Entry]:
        """The phones of the cheapest path, whose names must be known."""
        assert self._phones is not None
        path = best_path(lattice)
        phones, lengths = phones_of(self._model, np.array([] if path is None else path.alignment, np.int32))
        ends = np.cumsum(lengths).tolist()
        return [
            {"phone": self._phones[phone], "start": seconds(end - length), "end": seconds(end)}
            for phone, length, end in zip(phones.tolist(), lengths.tolist(), ends, strict=True)
        ]

    def _aligned(self, lattice: CompactLattice, warn: bool = True) -> CompactLattice:
        return lattice if self._aligner is None else self._aligner.align(lattice, warn).lattice

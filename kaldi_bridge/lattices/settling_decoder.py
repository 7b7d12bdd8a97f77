"""The best path of one utterance while its log-likelihoods come in, and which of its words all paths have by then.

Source: online2/online-nnet3-wake-word-faster-decoder.cc; see csrc/best_path_search.h.
"""

from __future__ import annotations

import numpy as np

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.extension import _csrc
from kaldi_bridge.lattices.best_paths import FasterOptions
from kaldi_bridge.lattices.decoder import Graph, check_values, native_options


class SettlingDecoder:
    """``advance`` for each piece; after any of them the words so far."""

    def __init__(self, graph: Graph, options: FasterOptions) -> None:
        """Log-likelihoods come scaled. Raises KaldiError for options or a graph that make no sense."""
        self._graph = graph
        _, search = options.search()
        search.check()
        self._search = _csrc.OnlineBestPathSearch(graph.native, native_options(search), 1000, options.hash_ratio)

    def advance(self, log_likelihoods: np.ndarray) -> None:
        """Takes the next frames [frames, pdfs].

        Raises KaldiError for too few pdfs, EntryError for values that are plus infinity or not a number.
        """
        if not len(log_likelihoods):
            return
        check_values(log_likelihoods)
        try:
            self._search.advance(log_likelihoods, self._graph.num_pdfs)
        except ValueError as error:
            raise KaldiError(str(error)) from None

    def settled_words(self) -> list[int]:
        """Words that have been settled since the last time that some were."""
        words: list[int] = self._search.settled_words()
        return words

    def words_after_settled(self) -> list[int]:
        """The other words of the best path."""
        words: list[int] = self._search.words_after_settled()
        return words

    def best_path(self) -> tuple[list[int], list[int]]:
        """Words and transition-ids of the best path, to a final state if there is one; empty where no path survived."""
        words, alignment = self._search.best_path()
        return words, alignment

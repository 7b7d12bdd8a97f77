"""The search of one utterance while its log-likelihoods come in, piece by piece (LatticeFasterOnlineDecoder)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.extension import _csrc
from kaldi_bridge.lattices.decoder import (
    Decoded,
    Graph,
    SearchOptions,
    check_values,
    made_outcome,
    native_options,
    outcome_options,
)


class OnlineDecoder:
    """``advance`` for each piece, then ``finish``: what decoder.decode gives for all of them at once."""

    def __init__(self, graph: Graph, options: SearchOptions, acoustic_scale: float) -> None:
        """Log-likelihoods come scaled; ``acoustic_scale`` is taken out of the lattice again."""
        self._graph, self._options, self._scale = graph, options, acoustic_scale
        try:
            self._search = _csrc.OnlineSearch(graph.native, native_options(options), 1.0)
        except ValueError as error:
            raise KaldiError(str(error)) from None

    @property
    def num_frames(self) -> int:
        """Frames decoded; fewer than were given where no path survived."""
        return int(self._search.num_frames)

    @property
    def final_relative_cost(self) -> float:
        """How much more the best path to a final state costs than the best path; infinite where there is none."""
        return float(self._search.final_relative_cost)

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

    def best_steps(self) -> np.ndarray:
        """Of each frame, transition-id of the best path so far and state of the graph that it comes from, [frames, 2].

        Whether or not the path can end here.
        """
        steps: np.ndarray = self._search.best_alignment()
        return steps

    def best_alignment(self) -> list[int]:
        """The transition-ids alone."""
        alignment: list[int] = self.best_steps()[:, 0].tolist()
        return alignment

    def marked_at_end(self, marked: np.ndarray) -> int:
        """How many frames at the end of that path have transition-ids i of which ``marked[i]`` is true."""
        return int(self._search.marked_at_end(marked))

    def best_words(self) -> list[int]:
        """The words of that path."""
        words: list[int] = self._search.best_words()
        return words

    def outcome_so_far(self) -> Decoded | None:
        """What ``finish`` gives, of paths that need not end in a final state; more may follow."""
        return self._outcome(self._search.result_so_far)

    def finish(self) -> Decoded | None:
        """The outcome; None when no path survived or nothing came. Nothing may follow."""
        return self._outcome(self._search.result)

    def _outcome(self, result_of: Callable[[], Any]) -> Decoded | None:
        if not self.num_frames:
            return None
        try:
            result = result_of()
        except ValueError as error:
            raise KaldiError(str(error)) from None
        if not result.num_states:
            return None
        return made_outcome(result.outcome(outcome_options(self._graph, self._options, self._scale)))

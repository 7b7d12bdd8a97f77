"""Minimum Bayes risk decoding: word sequences with the fewest expected errors, and confidences (lat/sausages.h)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.command import option
from kaldi_bridge.errors import EntryError, KaldiError
from kaldi_bridge.extension import _csrc
from kaldi_bridge.lattices.lattice import CompactLattice, sorted_if_needed

Times = tuple[float, float]


@dataclass
class SausageOptions:
    """MinimumBayesRiskOptions."""

    decode_mbr: bool = option(True, "If true, do Minimum Bayes Risk decoding (else, Maximum a Posteriori)")
    print_silence: bool = option(
        False, "Keep the '<eps>' between words in the output (a silence, or a word that is not there)"
    )


@dataclass
class Sausages:
    """What a lattice looks like as a row of bins, each with words that exclude each other.

    Attributes:
        words, word_times, confidences: of the best sequence; times (begin, end) in frames.
        bins, bin_times: all bins; of each the words with their probabilities, the most probable first.
        risk: the expected number of errors.
    """

    words: list[int]
    word_times: list[Times]
    confidences: list[float]
    bins: list[list[tuple[int, float]]]
    bin_times: list[Times]
    risk: np.float32


def minimum_bayes_risk(
    lattice: CompactLattice, options: SausageOptions, words: Sequence[int] | np.ndarray | None = None
) -> Sausages:
    """``lattice`` has its costs scaled already. ``words`` to begin with: those of the best path if none.

    Raises EntryError for a lattice without a path, KaldiError for one with a cycle or with unequal paths' lengths.
    """
    lattice = sorted_if_needed(CompactLattice(*_csrc.with_super_final(lattice.parts)))
    if lattice.start < 0:
        raise EntryError("empty lattice")
    arcs, end = lattice.graph.best_path(lattice.arc_costs, lattice.final_costs)
    if end < 0:
        raise EntryError("the lattice has no path to a final state")
    if words is None:
        labels = lattice.arcs["label"][arcs]
        words = labels[labels != 0]
    try:
        made = _csrc.minimum_bayes_risk(lattice.parts, list(words), options.decode_mbr, options.print_silence)
    except ValueError as error:
        raise KaldiError(f"the lattice is not consistent: {error}") from None
    for warning in made.warnings:
        log.warning(warning)
    return Sausages(made.words, made.word_times, made.confidences, made.bins, made.bin_times, np.float32(made.risk))

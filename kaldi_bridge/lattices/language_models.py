"""Language models in the form in which C++ composes lattices with them (csrc/language_model.h)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.extension import _csrc
from kaldi_bridge.fsts.fst import Fst, is_sorted
from kaldi_bridge.lang.const_arpa import ConstArpa
from kaldi_bridge.lang.mikolov_rnnlm import LabelledRnnlm
from kaldi_bridge.lattices.lattice import CompactLattice, is_cyclic

Extend = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""Makes histories of others and one more word each: of parents, int32 [n], and words, int32 [n].

Parents are numbers of histories, in the order in which they were made; -1 for the one that is the start, where the word
means nothing. Comes to float32 [n, words + 1]: the costs (minus log-probabilities) of each word that is asked for, and
of the end.
"""


class HistoryCosts(Protocol):
    """A language model that computes what words cost after histories, as neural networks do (csrc/history_model.h).

    Attributes:
        start: the words that stand before the first one.
    """

    start: list[int]

    def of_words(self, words: np.ndarray) -> Extend:
        """For a lattice, of whose words costs will be asked for: int32 [words], ascending; it has histories of its own.

        Raises KaldiError for a word that is none of the model's.
        """


LanguageModel = Fst | ConstArpa | LabelledRnnlm | HistoryCosts
"""An Fst backs off by arcs without a label."""
NativeModels = Callable[[CompactLattice], Any]
"""For a lattice, the model that C++ composes it with; threads may call it."""


def native_models(model: LanguageModel, max_ngram_order: int = 0) -> NativeModels:
    """Those of a model.

    Args:
        max_ngram_order: if positive, histories of a neural model that end with the same words, one less than this, are
            taken for one; it is computed from the words that led to it first.
    """
    if isinstance(model, Fst):
        backing_off = backoff_model(model)
        return lambda lattice: backing_off
    if isinstance(model, ConstArpa):
        arpa = model.native
        return lambda lattice: _csrc.ConstArpaModel(arpa)
    network = model.native if isinstance(model, LabelledRnnlm) else None

    def for_lattice(lattice: CompactLattice) -> Any:
        if max_ngram_order <= 0 and is_cyclic(lattice):
            raise KaldiError("cycles detected in lattice: histories have no end unless --max-ngram-order is positive")
        if isinstance(model, LabelledRnnlm):
            return _csrc.MikolovModel(network, max_ngram_order)
        words = np.unique(lattice.arcs["label"])
        words = words[words != 0]
        return _csrc.HistoryModel(words.tolist(), model.start, max_ngram_order, model.of_words(words))

    return for_lattice


def backoff_model(fst: Fst) -> Any:
    """For C++: the acceptor of an FST's output labels (fstext/kaldi-fst-io.h, ReadAndPrepareLmFst)."""
    if (fst.arcs["ilabel"] != fst.arcs["olabel"]).any():
        arcs = fst.arcs.copy()
        arcs["ilabel"] = arcs["olabel"]
        fst = fst.changed(arcs=arcs)
    fst = sorted_by_input(fst)
    return _csrc.BackoffModel(fst.start, fst.finals, fst.offsets, fst.arcs)


def sorted_by_input(fst: Fst) -> Fst:
    """With each state's arcs in the order of their input labels, then of their output labels."""
    if is_sorted(fst, "ilabel"):
        return fst
    labels = (np.ascontiguousarray(fst.arcs[side]) for side in ("ilabel", "olabel"))
    return fst.changed(arcs=fst.arcs[_csrc.sorted_arcs(fst.offsets, *labels)])

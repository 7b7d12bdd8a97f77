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


class HistoryCosts(Protocol):
    """A language model that computes what words cost after histories, as neural networks do (csrc/history_model.h).

    Attributes:
        start: the words that stand before the first one.
    """

    start: list[int]

    def begin(self, words: np.ndarray) -> None:
        """For each lattice: forgets all histories. Costs will be asked for of these words, int32 [words], ascending.

        Raises KaldiError for a word that is none of the model's.
        """

    def extend(self, parents: np.ndarray, words: np.ndarray) -> np.ndarray:
        """Makes histories of others and one more word each.

        Args:
            parents: int32 [n], numbers of histories in the order in which they were made; -1: this is the start.
            words: int32 [n]; that of the start means nothing.
        Returns:
            float32 [n, words + 1], the costs (minus log-probabilities) of each word of ``begin``, then of the end.
        """


LanguageModel = Fst | ConstArpa | LabelledRnnlm | HistoryCosts
"""An Fst backs off by arcs without a label."""
NativeModels = Callable[[CompactLattice], Any]
"""For a lattice, the model that C++ composes it with."""


def native_models(model: LanguageModel, max_ngram_order: int = 0) -> NativeModels:
    """A model for each lattice, the same one where it can be.

    Args:
        max_ngram_order: if positive, histories of a neural model that end with the same words, one less than this, are
            taken for one; it is computed from the words that led to it first.
    """
    if isinstance(model, Fst | ConstArpa):
        native = _csrc.ConstArpaModel(model.native) if isinstance(model, ConstArpa) else backoff_model(model)
        return lambda lattice: native
    network = model.native if isinstance(model, LabelledRnnlm) else None

    def for_lattice(lattice: CompactLattice) -> Any:
        if max_ngram_order <= 0 and is_cyclic(lattice):
            raise KaldiError("cycles detected in lattice: histories have no end unless --max-ngram-order is positive")
        if isinstance(model, LabelledRnnlm):
            return _csrc.MikolovModel(network, max_ngram_order)
        words = np.unique(lattice.arcs["label"])
        words = words[words != 0]
        model.begin(words)
        return _csrc.HistoryModel(words.tolist(), model.start, max_ngram_order, model.extend)

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

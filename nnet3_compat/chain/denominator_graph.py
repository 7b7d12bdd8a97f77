"""The denominator graph: a phone language model as an HMM over pdfs (chain/chain-den-graph.cc)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.fsts.fst import Fst, read_fst

_STEPS = 100  # over which the initial probabilities are averaged


class DenominatorGraphs(Protocol):
    """A graph for each output of a network; a single one serves all."""

    def of(self, output: str) -> DenominatorGraph:
        """Raises KaldiError where there is none, or it does not fit."""


@dataclass
class DenominatorGraph:
    """Attributes:
    num_states, num_pdfs: its sizes.
    source, target, pdf: int64 [arcs]; pdf-ids from 0.
    probability: float32 [arcs], of each transition.
    initial: float32 [num_states], with which a chunk starts, and which leaky-HMM transitions lead to.
    prepared: what backends made of the graph for themselves.
    """

    num_states: int
    num_pdfs: int
    source: np.ndarray
    target: np.ndarray
    pdf: np.ndarray
    probability: np.ndarray
    initial: np.ndarray
    prepared: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)

    def __getstate__(self) -> dict[str, Any]:
        """Copies and pickles leave out what backends made."""
        return {**self.__dict__, "prepared": {}}

    def of(self, output: str) -> DenominatorGraph:
        """Itself, whatever the output."""
        return self

    @classmethod
    def read(cls, rxfilename: str, num_pdfs: int) -> DenominatorGraph:
        """From a file; raises KaldiError as ``from_fst``, naming it."""
        try:
            return cls.from_fst(read_fst(rxfilename), num_pdfs)
        except KaldiError as error:
            raise KaldiError(f"{rxfilename}: {error}") from None

    @classmethod
    def from_fst(cls, fst: Fst, num_pdfs: int) -> DenominatorGraph:
        """``fst``: Kaldi's den.fst, an acceptor of pdf-id + 1.

        Raises KaldiError when a label is no pdf of ``num_pdfs``, or a state cannot be left.
        """
        labels = fst.arcs["ilabel"]
        if fst.start < 0 or not fst.num_arcs:
            raise KaldiError("the denominator graph is empty")
        if labels.min() < 1 or labels.max() > num_pdfs:
            raise KaldiError(
                f"the denominator graph has labels from {labels.min()} to {labels.max()}, the model {num_pdfs} pdfs"
            )
        source = fst.sources
        target = fst.arcs["nextstate"].astype(np.int64)
        probability = np.exp(-fst.arcs["weight"].astype(np.float64))
        initial = _initial_probabilities(fst, source, target, probability)
        pdf = labels.astype(np.int64) - 1
        return cls(fst.num_states, num_pdfs, source, target, pdf, probability.astype(np.float32), initial)


def _initial_probabilities(fst: Fst, source: np.ndarray, target: np.ndarray, probability: np.ndarray) -> np.ndarray:
    """Where 100 steps from the start state lead on average, each state's transitions normalized with its final one."""
    total = np.exp(-fst.finals.astype(np.float64)) + np.bincount(source, probability, fst.num_states)
    if not ((total > 0.0) & (total < 100.0)).all():
        raise KaldiError("the denominator graph has a state that cannot be left, or costs that are no probabilities")
    normalized = probability / total[source]
    current: np.ndarray = np.zeros(fst.num_states)
    current[fst.start] = 1.0
    average = np.zeros(fst.num_states)
    for _ in range(_STEPS):
        average += current / _STEPS
        current = np.bincount(target, current[source] * normalized, fst.num_states)
        current = current / current.sum()
    return average.astype(np.float32)

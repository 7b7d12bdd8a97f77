"""Lattices with other language models' costs: subtracted, added, for all paths or the best ones (csrc/rescoring.h).

A model is an FST that backs off by arcs without a label, or in ConstArpaLm form; models are scaled and added.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from kaldi_bridge.command import option
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.extension import _csrc
from kaldi_bridge.fsts.fst import Fst, is_sorted
from kaldi_bridge.lang.const_arpa import ConstArpa
from kaldi_bridge.lattices.composition import Composer, arc_sorted
from kaldi_bridge.lattices.costs import scale
from kaldi_bridge.lattices.determinization import determinize_fully
from kaldi_bridge.lattices.lattice import CompactLattice, Lattice, connected, sorted_if_needed, to_lattice
from kaldi_bridge.lattices.standard_fst import graph_lattice


@dataclass
class PrunedOptions:
    """How much of a lattice is rescored (lat/compose-lattice-pruned.h)."""

    lattice_compose_beam: float = option(6.0, "Beam of the composition, which determines how large the result may be")
    max_arcs: int = option(100000, "Most arcs of a lattice, once there is a whole path")
    growth_ratio: float = option(1.5, "By how much the result may grow before its costs are estimated anew; above 1")


class FstRescorer:
    """Adds an FST's costs, those of the best path through it, to the graph costs of lattices (lattice-lmrescore).

    The FST may have any epsilons. Raises KaldiError where lattices or FST have what cannot be composed.
    """

    def __init__(self, fst: Fst) -> None:
        self._composer = Composer(graph_lattice(sorted_by_input(fst)))

    def rescored(self, lattice: Lattice, lm_scale: float) -> CompactLattice:
        """With ``lm_scale`` (not 0) times the costs. Of no states where the FST has none of the lattice's paths."""
        composed = self._composer.compose(arc_sorted(scale(lattice, graph=1.0 / lm_scale), "olabel"))
        return scale(determinize_fully(composed), graph=lm_scale)


class ConstArpaRescorer:
    """The same with a model in ConstArpaLm form (lattice-lmrescore-const-arpa)."""

    def __init__(self, arpa: ConstArpa) -> None:
        self._arpa = arpa.native

    def rescored(self, lattice: CompactLattice, lm_scale: float) -> CompactLattice:
        """As that of FstRescorer."""
        prepared = arc_sorted(scale(lattice, graph=1.0 / lm_scale), "olabel")
        try:
            composed = CompactLattice(*_csrc.compose_with(prepared.parts, _csrc.ConstArpaModel(self._arpa)))
        except ValueError as error:
            raise KaldiError(str(error)) from None
        return scale(determinize_fully(to_lattice(connected(composed))), graph=lm_scale)


class PrunedRescorer:
    """Takes one model's costs away and adds those of another, for the paths that are then the best ones.

    Args:
        old: the model that the lattices have; words that it lacks are not in the result.
        new: the model that they get.
        lm_scale: of the new costs, and of the old ones.
    """

    def __init__(self, old: Fst, new: Fst | ConstArpa, lm_scale: float, options: PrunedOptions) -> None:
        self._old = _csrc.ScaledModel(backoff_model(old), -lm_scale)
        model = _csrc.ConstArpaModel(new.native) if isinstance(new, ConstArpa) else backoff_model(new)
        self._new = model if lm_scale == 1.0 else _csrc.ScaledModel(model, lm_scale)
        self._options = _csrc.PrunedOptions()
        self._options.beam = options.lattice_compose_beam
        self._options.max_arcs, self._options.growth_ratio = options.max_arcs, options.growth_ratio

    def rescored(self, lattice: CompactLattice) -> CompactLattice:
        """Of no states where the models have none of its paths. Raises KaldiError for a cycle, and for bad models."""
        prepared = connected(sorted_if_needed(lattice))
        model = _csrc.ModelSum(self._old, self._new)
        try:
            found = CompactLattice(*_csrc.compose_pruned(prepared.parts, model, self._options))
        except ValueError as error:
            raise KaldiError(str(error)) from None
        return sorted_if_needed(connected(found))


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

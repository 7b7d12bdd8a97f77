"""Lattices with other language models' costs: subtracted, added, for all paths or the best ones (csrc/rescoring.h).

The kinds of models are those of language_models.py; they are scaled and added.
"""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge.command import option
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.extension import _csrc
from kaldi_bridge.fsts.fst import Fst
from kaldi_bridge.lattices.combination import n_best_lattice
from kaldi_bridge.lattices.composition import Composer, arc_sorted
from kaldi_bridge.lattices.costs import scale
from kaldi_bridge.lattices.determinization import determinize_fully
from kaldi_bridge.lattices.language_models import LanguageModel, native_models, sorted_by_input
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


class ModelRescorer:
    """The same with a model from state to state, without epsilons (lattice-lmrescore-const-arpa, -kaldi-rnnlm).

    Args:
        max_ngram_order: see native_models.
    """

    def __init__(self, model: LanguageModel, max_ngram_order: int = 0) -> None:
        self._models = native_models(model, max_ngram_order)

    def rescored(self, lattice: CompactLattice, lm_scale: float) -> CompactLattice:
        """As that of FstRescorer."""
        composed = self.composed(arc_sorted(scale(lattice, graph=1.0 / lm_scale), "olabel"))
        return scale(determinize_fully(to_lattice(composed)), graph=lm_scale)

    def composed(self, lattice: CompactLattice) -> CompactLattice:
        """With the costs added and nothing else done."""
        try:
            return connected(CompactLattice(*_csrc.compose_with(lattice.parts, self._models(lattice))))
        except ValueError as error:
            raise KaldiError(str(error)) from None


class NBestRescorer:
    """Takes one model's costs away and adds those of another, for the paths that are the best ones before.

    Args:
        old: the model that the lattices have; None: its costs stay.
        lm_scale: of the new costs, and of the old ones; not 0.
        n: how many paths.
    """

    def __init__(self, old: LanguageModel | None, new: LanguageModel, lm_scale: float, n: int) -> None:
        self._old, self._new = None if old is None else ModelRescorer(old), ModelRescorer(new)
        self._scale, self._n = lm_scale, n

    def rescored(self, lattice: CompactLattice) -> CompactLattice:
        """Of no states where there is no path. Raises KaldiError for a cycle, and for bad models."""
        paths = n_best_lattice(lattice, self._n)
        if self._old is not None and paths.num_states:
            paths = self._old.rescored(paths, -self._scale)
        return self._new.rescored(paths, self._scale) if paths.num_states else paths


class PrunedRescorer:
    """Takes one model's costs away and adds those of another, for the paths that are then the best ones.

    Args:
        old: the model that the lattices have; words that it lacks are not in the result.
        new: the model that they get.
        lm_scale: of the new costs, and of the old ones.
        max_ngram_order: of the new model, see native_models.
    """

    def __init__(
        self,
        old: LanguageModel,
        new: LanguageModel,
        lm_scale: float,
        options: PrunedOptions,
        max_ngram_order: int = 0,
    ) -> None:
        self._old, self._new = native_models(old), native_models(new, max_ngram_order)
        self._scale = lm_scale
        self._options = _csrc.PrunedOptions()
        self._options.beam = options.lattice_compose_beam
        self._options.max_arcs, self._options.growth_ratio = options.max_arcs, options.growth_ratio

    def rescored(self, lattice: CompactLattice) -> CompactLattice:
        """Of no states where the models have none of its paths. Raises KaldiError for a cycle, and for bad models."""
        prepared = connected(sorted_if_needed(lattice))
        old = _csrc.ScaledModel(self._old(prepared), -self._scale)
        new = _csrc.ScaledModel(self._new(prepared), self._scale)
        try:
            found = CompactLattice(*_csrc.compose_pruned(prepared.parts, _csrc.ModelSum(old, new), self._options))
        except ValueError as error:
            raise KaldiError(str(error)) from None
        return sorted_if_needed(connected(found))

"""Parts in time of a supervision for discriminative training (nnet3/discriminative-supervision.cc).

The lattice of a part has one more state at the beginning and at the end. With the probabilities alpha(s) of all ways
from the start to a state s, and beta(s) of those from there to an end, arcs from the first one have the cost
-log alpha(s), and arcs that leave the part get -log beta(s) on top of theirs: the part's paths are as probable as in
the whole lattice.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kaldi_bridge.command import option, without_effect
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.examples.discriminative_supervision import DiscriminativeSupervision
from kaldi_bridge.fsts import properties
from kaldi_bridge.fsts.fst_header import EXPANDED, MUTABLE
from kaldi_bridge.hmm.transition_model import TransitionModel
from kaldi_bridge.lattices.acceptors import determinized, minimized, tested_properties, without_epsilons
from kaldi_bridge.lattices.costs import scale
from kaldi_bridge.lattices.lattice import LATTICE_ARC, NOT_FINAL, Lattice, renumbered, top_sorted
from kaldi_bridge.lattices.state_times import state_times

ALWAYS = "As in Kaldi, where the lattices of examples never have any"


@dataclass
class SplittingOptions:
    """How lattices are cut (SplitDiscriminativeSupervisionOptions)."""

    acoustic_scale: float = option(0.1, "Scaling factor for acoustic likelihoods, the one of training")
    collapse_transition_ids: bool = option(
        True, "In each frame one transition-id stands for all of the same pdf, to make lattices smaller (not for MPFE)"
    )
    determinize: bool = option(True, "Determinize lattices after splitting")
    minimize: bool = option(True, "Determinize them from the end too, which minimizes them")
    remove_output_symbols: bool = without_effect(True, ALWAYS)
    remove_epsilons: bool = without_effect(True, ALWAYS)

    def check(self) -> None:
        """Raises KaldiError for values that make no sense."""
        if self.acoustic_scale == 0.0:
            raise KaldiError("--acoustic-scale must not be 0: lattices are scaled back by it")


class DiscriminativeSplitter:
    """Cuts the supervision of one utterance."""

    def __init__(
        self, supervision: DiscriminativeSupervision, model: TransitionModel, options: SplittingOptions
    ) -> None:
        """Raises KaldiError for a merged supervision, a lattice without a path, or transition-ids of another model."""
        if supervision.num_sequences != 1:
            raise KaldiError("only the supervision of a single utterance can be cut")
        self._supervision, self._model, self._options = supervision, model, options
        self._scale = np.float32(options.acoustic_scale)
        lattice = scale(supervision.lattice, acoustic=float(self._scale))
        times, _ = state_times(lattice)
        order = np.argsort(times, kind="stable")
        self._lattice = renumbered(lattice, np.argsort(order, kind="stable"))
        self._times = times[order]
        model.checked(lattice.arcs["ilabel"][lattice.arcs["ilabel"] != 0])
        model.checked(supervision.alignment)
        costs, graph = self._lattice.arc_costs, self._lattice.graph
        self._alphas = graph.log_sums_from_start(costs)
        self._betas = graph.log_sums_to_end(costs, self._lattice.final_costs)
        if self._times[0] < 0 or not np.isfinite(self._betas[0]):
            raise KaldiError("the lattice has states out of reach, or no path of finite cost")

    def part(self, first: int, count: int, normalize: bool) -> DiscriminativeSupervision:
        """``count`` frames from frame ``first``; with ``normalize`` the costs of all paths together are 0."""
        whole = self._supervision
        if not 0 <= first < first + count <= whole.num_frames:
            raise KaldiError(f"the supervision has no frames {first} to {first + count - 1}")
        lattice = self._lattice_part(first, first + count, normalize)
        made = DiscriminativeSupervision(whole.weight, 1, count, whole.alignment[first : first + count], lattice)
        made.check()
        return made

    def _lattice_part(self, first: int, end: int, normalize: bool) -> Lattice:
        options = self._options
        made = without_epsilons(self._cut(first, end, normalize))
        known = properties.CONNECTED
        if options.collapse_transition_ids:
            made, known = self._collapsed(made)
        if options.determinize:
            known = known & properties.COACCESSIBLE | properties.ACCESSIBLE | properties.INPUT_DETERMINISTIC
            made = minimized(made) if options.minimize else determinized(made)
        if options.determinize and options.minimize:
            known = properties.CONNECTED
        made = top_sorted(made)
        made.properties = properties.of_sorted(known | properties.LABELED_ACCEPTOR | EXPANDED | MUTABLE)
        if options.acoustic_scale != 1.0:
            made = scale(made, acoustic=float(np.float32(1.0) / self._scale))
            made.properties = tested_properties(made)
        return made

    def _cut(self, first: int, end: int, normalize: bool) -> Lattice:
        """With an arc from a new start to each state of frame ``first``; what leads to ``end`` leads to a new end."""
        whole = self._lattice
        begin, stop = np.searchsorted(self._times, [first, end])
        span = slice(whole.offsets[begin], whole.offsets[stop])
        arcs = whole.arcs[span].copy()
        arcs["olabel"] = arcs["ilabel"]
        leaving = arcs["nextstate"] >= stop
        arcs["graph"][leaving] = arcs["graph"][leaving] - self._betas[arcs["nextstate"][leaving]]
        arcs["nextstate"] = np.where(leaving, stop, arcs["nextstate"]) - begin + 1
        opening = np.zeros(int(np.searchsorted(self._times, first + 1)) - begin, LATTICE_ARC)
        opening["graph"] = (self._betas[0] if normalize else 0.0) - self._alphas[begin : begin + len(opening)]
        opening["nextstate"] = 1 + np.arange(len(opening))
        counts = [len(opening), *np.diff(whole.offsets[begin : stop + 1]), 0]
        finals = np.full((len(counts), 2), NOT_FINAL)
        finals[-1] = 0.0
        offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        return Lattice(0, offsets, np.concatenate([opening, arcs]), finals)

    def _collapsed(self, lattice: Lattice) -> tuple[Lattice, int]:
        """With the first transition-id of each pdf in a frame for all of that pdf there; and what is known of it then.

        As in Kaldi, the frame of a part's state is taken from the state of the same number in the whole lattice: in
        parts that begin later these are earlier, and fewer transition-ids are merged.
        """
        arcs = lattice.arcs.copy()
        pairs = self._times[lattice.sources] * self._model.num_pdfs + self._model.id_to_pdf[arcs["ilabel"]]
        _, firsts, places = np.unique(pairs, return_index=True, return_inverse=True)
        changed = np.ones(len(arcs), bool)
        changed[firsts] = False
        if not changed.any():
            return lattice, properties.CONNECTED
        arcs["ilabel"] = arcs["olabel"] = arcs["ilabel"][firsts[places]]
        known = properties.WEIGHTED if arcs["graph"][changed].any() or arcs["acoustic"][changed].any() else 0
        return Lattice(lattice.start, lattice.offsets, arcs, lattice.finals), known

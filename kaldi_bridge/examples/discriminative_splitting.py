"""Parts in time of a supervision for discriminative training (nnet3/discriminative-supervision.cc).

The lattice of a part has one more state at the beginning and at the end. With the probabilities alpha(s) of all ways
from the start to a state s, and beta(s) of those from there to an end, arcs from the first one have the cost
-log alpha(s), and arcs that leave the part get -log beta(s) on top of theirs: the part's paths are as probable as in
the whole lattice.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from kaldi_bridge.command import option, without_effect
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.examples.discriminative_supervision import DiscriminativeSupervision
from kaldi_bridge.extension import _csrc
from kaldi_bridge.hmm.transition_model import TransitionModel
from kaldi_bridge.lattices.lattice import Lattice

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
    """Cuts the supervision of one utterance, in C++ (csrc/discriminative_splitting.h).

    Attributes:
        targets: the whole, to be cut in C++ (InputCutter.pack_discriminative_examples).
    """

    def __init__(
        self, supervision: DiscriminativeSupervision, model: TransitionModel, options: SplittingOptions
    ) -> None:
        """Raises KaldiError for a merged supervision, a lattice without a path, or transition-ids of another model."""
        if supervision.num_sequences != 1:
            raise KaldiError("only the supervision of a single utterance can be cut")
        self._supervision = supervision
        lattice = supervision.lattice
        model.checked(lattice.arcs["ilabel"][lattice.arcs["ilabel"] != 0])
        model.checked(supervision.alignment)
        try:
            self.targets: Any = _csrc.DiscriminativeTargets(
                supervision.weight,
                supervision.alignment,
                lattice.parts,
                model.id_to_pdf,
                model.num_pdfs,
                options.acoustic_scale,
                options.collapse_transition_ids,
                options.determinize,
                options.minimize,
            )
        except ValueError as error:
            raise KaldiError(str(error)) from None

    def part(self, first: int, count: int, normalize: bool) -> DiscriminativeSupervision:
        """``count`` frames from frame ``first``; with ``normalize`` the costs of all paths together are 0.

        Raises KaldiError where there are no such frames.
        """
        try:
            parts, known = self.targets.part(first, count, normalize)
        except ValueError as error:
            raise KaldiError(str(error)) from None
        whole, lattice = self._supervision, Lattice(*parts)
        lattice.properties = known
        return DiscriminativeSupervision(whole.weight, 1, count, whole.alignment[first : first + count], lattice)

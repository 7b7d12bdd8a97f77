"""LF-MMI of labeled sequences, the density of unlabeled ones: their energy is that of the denominator graph."""

from __future__ import annotations

from dataclasses import dataclass

from steps_pytorch.objectives.energies import SequenceEnergy
from steps_pytorch.objectives.lfmmi import LfmmiOptions, make_lfmmi
from steps_pytorch.objectives.registry import OBJECTIVES
from steps_pytorch.objectives.semi_supervised import SemiSupervised, SemiSupervisedOptions, energy_based_part
from steps_pytorch.registry import Dimensions


@dataclass
class LfmmiEbmOptions(LfmmiOptions, SemiSupervisedOptions):
    """Those of both."""


@OBJECTIVES.add("lfmmi-ebm", LfmmiEbmOptions)
def make_lfmmi_ebm(options: LfmmiEbmOptions, dimensions: Dimensions) -> SemiSupervised:
    """LF-MMI of labeled data, energy-based loss of unlabeled ones."""
    supervised = make_lfmmi(options, dimensions)
    energy = SequenceEnergy(supervised.graph, options.leaky_hmm_coefficient)
    return SemiSupervised(supervised, energy_based_part(energy, options, dimensions), options)

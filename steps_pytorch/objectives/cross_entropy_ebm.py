"""Cross-entropy of labeled frames, the density of unlabeled ones (JEM)."""

from __future__ import annotations

from dataclasses import dataclass

from steps_pytorch.objectives.cross_entropy import CrossEntropy, CrossEntropyOptions
from steps_pytorch.objectives.energies import frame_energy
from steps_pytorch.objectives.registry import OBJECTIVES
from steps_pytorch.objectives.semi_supervised import SemiSupervised, SemiSupervisedOptions, energy_based_part
from steps_pytorch.registry import Dimensions


@dataclass
class CrossEntropyEbmOptions(CrossEntropyOptions, SemiSupervisedOptions):
    """Those of both."""


@OBJECTIVES.add("cross-entropy-ebm", CrossEntropyEbmOptions)
def make_cross_entropy_ebm(options: CrossEntropyEbmOptions, dimensions: Dimensions) -> SemiSupervised:
    """Cross-entropy of labeled data, energy-based loss of unlabeled ones."""
    supervised = CrossEntropy(dimensions.num_pdfs, options)
    return SemiSupervised(supervised, energy_based_part(frame_energy, options, dimensions), options)

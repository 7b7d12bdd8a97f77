"""The options that scale the costs of lattices. They are single precision in Kaldi, where 0.1 is 0.100000001490116."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.options import option


@dataclass
class AcousticScaleOptions:
    """``acoustic_scale`` alone."""

    acoustic_scale: float = option(1.0, "Scaling factor for acoustic likelihoods")

    def __post_init__(self) -> None:
        for field in fields(self):
            if field.name.endswith("scale"):
                setattr(self, field.name, float(np.float32(getattr(self, field.name))))


@dataclass
class ScaleOptions(AcousticScaleOptions):
    """The scales of acoustic and graph costs."""

    lm_scale: float = option(1.0, "Scaling factor for graph costs (language model and transition probabilities)")


@dataclass
class InverseScaleOptions(AcousticScaleOptions):
    """Two ways to set the acoustic scale."""

    inv_acoustic_scale: float = option(1.0, "Another way to set the acoustic scale: its inverse")

    def acoustic(self) -> float:
        """The acoustic scale. Raises KaldiError where both options set it."""
        if self.acoustic_scale != 1.0 and self.inv_acoustic_scale != 1.0:
            raise KaldiError("set either --acoustic-scale or --inv-acoustic-scale, not both")
        if self.inv_acoustic_scale == 0.0:
            raise KaldiError("--inv-acoustic-scale must not be zero")
        if self.inv_acoustic_scale == 1.0:
            return self.acoustic_scale
        return float(np.float32(1.0 / self.inv_acoustic_scale))

"""Other volumes (Kaldi's utils/data/perturb_data_dir_volume.sh)."""

from __future__ import annotations

import numpy as np

from steps_pytorch.data.perturbation.base import uniform


class Volume:
    """Scales a signal by a factor drawn from ``limits``."""

    history = 0

    def __init__(self, limits: tuple[float, float] = (0.125, 2.0)) -> None:
        self._limits = limits

    def __call__(self, samples: np.ndarray, random: np.random.Generator) -> np.ndarray:
        return samples * np.float32(uniform(self._limits, random))

"""Ways to spoil features, for de-corruption to undo."""

from __future__ import annotations

import numpy as np

from kaldi_bridge.errors import KaldiError
from steps_pytorch.data.perturbation.feature_noise import dropped, noisy

KINDS = ("none", "gauss", "salt-pepper", "time-mask", "frequency-mask")


def corrupt(kind: str, features: np.ndarray, level: float, random: np.random.Generator) -> np.ndarray:
    """A spoilt copy of normalized features [frames, dim].

    Args:
        kind: none; gauss: noise with standard deviation ``level`` is added; salt-pepper: a share ``level`` of the
            numbers is 0; time-mask, frequency-mask: so is a share of the frames, or of the dimensions, in a row.

    Raises:
        KaldiError: another kind, or a level that it cannot have.
    """
    if kind not in KINDS:
        raise KaldiError(f"--corruption={kind} must be one of {', '.join(KINDS)}")
    if level < 0 or (kind != "gauss" and level > 1):
        raise KaldiError(f"--corruption-level={level:g} is out of range")
    made = features.astype(np.float32)
    if kind == "gauss":
        return noisy(made, level, random)
    if kind == "salt-pepper":
        return dropped(made, level, random)
    if kind != "none":
        axis = 0 if kind == "time-mask" else 1
        width = round(level * made.shape[axis])
        first = int(random.integers(made.shape[axis] - width + 1))
        made[(slice(None),) * axis + (slice(first, first + width),)] = 0.0
    return made

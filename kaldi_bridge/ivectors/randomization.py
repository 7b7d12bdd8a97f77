"""Online i-vectors mixed up in time: networks meet good ones early in utterances too (ivector-randomize)."""

from __future__ import annotations

import numpy as np

from kaldi_bridge.c_random import CRandom


def randomized(ivectors: np.ndarray, probability: float, random: CRandom) -> np.ndarray:
    """Rows of ``ivectors`` [rows, dim]: each its own or, with this probability, one of those from it to the last."""
    last = len(ivectors) - 1
    rows = [random.rand_int(t, last) if random.with_prob(probability) else t for t in range(len(ivectors))]
    return ivectors[rows]

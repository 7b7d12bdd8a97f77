"""The i-vectors of a speaker."""

from __future__ import annotations

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.errors import EntryError, KaldiError
from kaldi_bridge.tables import RandomAccessReader


def ivectors_of(speaker: str, utterances: list[str], table: RandomAccessReader[np.ndarray]) -> np.ndarray:
    """float32 [utterances that have one, dim]; others are warned of.

    Raises EntryError where there are none, and KaldiError for no utterances or different dimensions.
    """
    if not utterances:
        raise KaldiError("Speaker with no utterances.")
    found = []
    for utterance in utterances:
        if utterance in table:
            found.append(table[utterance])
        else:
            log.warning(f"No iVector present in input for utterance {utterance}")
    if not found:
        raise EntryError(f"Not producing output for speaker {speaker} since no utterances had iVectors")
    if any(len(vector) != len(found[0]) for vector in found):
        raise KaldiError("i-vectors of different dimensions")
    return np.stack(found)

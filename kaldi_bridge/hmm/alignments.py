"""Alignments of many utterances at once."""

from __future__ import annotations

import numpy as np

from kaldi_bridge.errors import KaldiError, within
from kaldi_bridge.hmm.transition_model import TransitionModel
from kaldi_bridge.tables.integer_batches import IntegerBatch


def pdfs_of(model: TransitionModel, batch: IntegerBatch, source: str) -> np.ndarray:
    """int32, the pdf of each transition-id of the utterances, one after the other.

    Raises KaldiError, with ``source`` and the utterance before it, when one is none of this model.
    """
    try:
        return model.pdfs_of(batch.vectors.values)
    except KaldiError:
        for key, alignment in batch:
            with within(f"{source}: utterance {key}"):
                model.pdfs_of(alignment)
        raise

"""What compute-kaldi-pitch-feats and compute-and-process-kaldi-pitch-feats share: waveforms in, pitch features out."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.tables import SequentialReader, TableWriter
from kaldi_bridge.tables.holders import FLOAT_MATRIX, WAVE


def extract_pitch(
    rate: float, features_of: Callable[[np.ndarray], np.ndarray], wav_rspecifier: str, feats_wspecifier: str
) -> int:
    """Writes ``features_of`` the first channel [samples] of each recording, reports; returns the exit status.

    Raises KaldiError for a recording that is not at the ``rate`` in Hz.
    """
    done = 0
    with SequentialReader(wav_rspecifier, WAVE) as waves, TableWriter(feats_wspecifier, FLOAT_MATRIX) as writer:
        for utterance, wave in waves:
            if len(wave.data) != 1:
                log.warning(
                    f"Channel not specified but you have data with {len(wave.data)} channels; defaulting to zero"
                )
            if wave.sample_frequency != rate:
                raise KaldiError(
                    f"Sample frequency mismatch: you specified {rate:g} but data has {wave.sample_frequency:g} "
                    f"(use --sample-frequency option). Utterance is {utterance}"
                )
            feats = features_of(wave.data[0])
            if not len(feats):
                log.warning(f"No frames output in pitch extraction of {utterance}: it is too short")
            writer.write(utterance, feats)
            done += 1
    log.info(f"Done {done} utterances, 0 with errors.")
    return 0 if done else 1

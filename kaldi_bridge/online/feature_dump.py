"""Features as online decoding sees them, written down (online2bin/online2-wav-dump-features.cc)."""

from __future__ import annotations

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.errors import EntryError
from kaldi_bridge.online.features import OnlineFeatures, OnlineFeatureSetup, OnlineSpeaker
from kaldi_bridge.tables import RandomAccessReader, SequentialReader, TableWriter
from kaldi_bridge.tables.holders import FLOAT_MATRIX, TOKEN_VECTOR, WAVE
from kaldi_bridge.tables.loop import TableLoop


def dump_features(
    setup: OnlineFeatureSetup, chunk_length: float, spk2utt: str, wav_rspecifier: str, feats_wspecifier: str
) -> int:
    """Features of each utterance, with its i-vectors, by pieces of ``chunk_length`` seconds; the exit status."""
    loop, frames = TableLoop(), 0
    with (
        SequentialReader(spk2utt, TOKEN_VECTOR) as speakers,
        RandomAccessReader(wav_rspecifier, WAVE) as waves,
        TableWriter(feats_wspecifier, FLOAT_MATRIX) as writer,
    ):
        for _, utterances in speakers:
            speaker = OnlineSpeaker(setup)
            for utterance in utterances:
                with loop.entry(utterance):
                    if utterance not in waves:
                        raise EntryError(f"Did not find audio for utterance {utterance}")
                    wave = waves[utterance]
                    speaker.cmvn = OnlineSpeaker(setup).cmvn  # only i-vectors remember
                    features = OnlineFeatures(setup, speaker, wave.sample_frequency)
                    size = max(int(np.float32(wave.sample_frequency) * np.float32(chunk_length)), 1)
                    feats = _dumped(features, wave.data[0], size)
                    if not len(feats):
                        raise EntryError(f"Got no frames of data for utterance {utterance}")
                    writer.write(utterance, feats)
                    frames += len(feats)
                    features.end()
    log.info(f"Processed {loop.done} utterances, {loop.failed} with errors; {frames} frames in total.")
    return loop.status


def _dumped(features: OnlineFeatures, samples: np.ndarray, size: int) -> np.ndarray:
    made, waiting, count = [], np.zeros((0, 0), np.float32), 0
    for begin in range(0, len(samples), size):
        feats = features.extend(samples[begin : begin + size], begin + size >= len(samples))
        if features.ivectors is not None:  # which need what comes after
            waiting = np.concatenate([waiting, feats]) if len(waiting) else feats
            ready = min(len(waiting), features.ivectors.num_ready - count)
            feats, waiting = waiting[:ready], waiting[ready:]
            ivectors = [features.ivectors.at(t) for t in range(count, count + ready)]
            feats = np.hstack([feats, np.stack(ivectors)]) if ready else feats
        count += len(feats)
        if len(feats):
            made.append(feats)
    return np.concatenate(made) if made else np.zeros((0, 0), np.float32)

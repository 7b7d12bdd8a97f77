"""What nnet-pytorch-compute-mfcc-feats and -compute-fbank-feats share: waveforms in, features out."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.command import option
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.features.extractor import FbankOptions, FeatureExtractor, MfccOptions
from kaldi_bridge.tables import SequentialReader, TableWriter
from kaldi_bridge.tables.holders import DOUBLE, FLOAT_MATRIX, WAVE


@dataclass
class ExtractionOptions:
    """Options of the programs rather than of the features."""

    subtract_mean: bool = option(False, "Subtract the mean of each feature file")
    channel: int = option(-1, "Channel to use (-1: expect mono, 0: left, 1: right)")
    min_duration: float = option(0.0, "Leave out recordings shorter than this many seconds")
    write_utt2dur: str = option("", "Wspecifier for the duration of each utterance in seconds")


def extract_features(
    features: MfccOptions | FbankOptions, options: ExtractionOptions, wav_rspecifier: str, feats_wspecifier: str
) -> int:
    """Reads each recording, writes its features, reports; returns the exit status."""
    if options.channel < -1:
        raise KaldiError(f"--channel={options.channel}: channels are counted from 0, -1 is the only one")
    extractor = FeatureExtractor(features)
    done = total = 0
    with ExitStack() as stack:
        waves = stack.enter_context(SequentialReader(wav_rspecifier, WAVE))
        writer = stack.enter_context(TableWriter(feats_wspecifier, FLOAT_MATRIX))
        durations = None
        if options.write_utt2dur:
            durations = stack.enter_context(TableWriter(options.write_utt2dur, DOUBLE))
        for utterance, wave in waves:
            total += 1
            duration = wave.data.shape[1] / wave.sample_frequency
            if duration < options.min_duration:
                log.warning(f"File: {utterance} is too short ({duration:g} sec): producing no output.")
                continue
            channels = wave.data.shape[0]
            channel = max(options.channel, 0)
            if options.channel == -1 and channels != 1:
                log.warning(f"Channel not specified but you have data with {channels} channels; defaulting to zero")
            if channel >= channels:
                log.warning(
                    f"File with id {utterance} has {channels} channels but you specified channel {channel}, "
                    "producing no output."
                )
                continue
            try:
                feats = extractor(wave.data[channel], wave.sample_frequency)
            except KaldiError as error:  # whatever it is, as in Kaldi
                log.warning(f"Failed to compute features for utterance {utterance}: {error}")
                continue
            if options.subtract_mean and len(feats):
                feats = feats - feats.mean(axis=0, dtype=np.float64).astype(np.float32)
            writer.write(utterance, feats)
            if durations:
                durations.write(utterance, duration)
            done += 1
            if total % 10 == 0:
                log.info(f"Processed {total} utterances")
    log.info(f" Done {done} out of {total} utterances.")
    return 0 if done else 1

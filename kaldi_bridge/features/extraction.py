"""What the programs compute-{mfcc,fbank,plp,spectrogram,waveform}-feats share: waveforms in, features out."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.command import option
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.features.extractor import FeatureExtractor
from kaldi_bridge.features.options import AnyOptions
from kaldi_bridge.tables import RandomAccessReader, SequentialReader, TableWriter
from kaldi_bridge.tables.holders import DOUBLE, FLOAT, FLOAT_MATRIX, WAVE, Holder, HtkHolder


@dataclass
class ExtractionOptions:
    """Options of the programs rather than of the features."""

    subtract_mean: bool = option(False, "Subtract the mean of each feature file")
    channel: int = option(-1, "Channel to use (-1: expect mono, 0: left, 1: right)")
    min_duration: float = option(0.0, "Leave out recordings shorter than this many seconds")
    output_format: str = option("kaldi", "Format of the output [kaldi, htk]")
    write_utt2dur: str = option("", "Wspecifier for the duration of each utterance in seconds")


@dataclass
class VtlnOptions(ExtractionOptions):
    """Of programs whose features have mel bins: how speakers' vocal tracts warp frequencies."""

    vtln_warp: float = option(1.0, "Warp of all utterances; without effect where there is a --vtln-map")
    vtln_map: str = option("", "Rspecifier of the warp of each utterance, or of each speaker")
    utt2spk: str = option("", "Rspecifier of the map from utterance to speaker, for a --vtln-map of speakers")


class Warps:
    """Warp of each utterance. Raises KaldiError at construction where the options make no sense together."""

    def __init__(self, options: VtlnOptions) -> None:
        if options.utt2spk and not options.vtln_map:
            raise KaldiError("The --utt2spk option is only needed if the --vtln-map option is used.")
        self._warp = options.vtln_warp
        self._table: RandomAccessReader[float] | None = None
        if options.vtln_map:
            self._table = RandomAccessReader(options.vtln_map, FLOAT, utt2spk=options.utt2spk or None)

    def of(self, utterance: str) -> float | None:
        """None where the map has none."""
        warp = self._warp if self._table is None else self._table.get(utterance)
        return None if warp is None else float(np.float32(warp))

    def __enter__(self) -> Warps:
        return self

    def __exit__(self, *_: object) -> None:
        if self._table is not None:
            self._table.close()


def extract_features(
    features: AnyOptions, options: ExtractionOptions, wav_rspecifier: str, feats_wspecifier: str
) -> int:
    """Reads each recording, writes its features, reports; returns the exit status."""
    if options.channel < -1:
        raise KaldiError(f"--channel={options.channel}: channels are counted from 0, -1 is the only one")
    if options.output_format not in ("kaldi", "htk"):
        raise KaldiError(f"Invalid output_format string {options.output_format}: must be kaldi or htk")
    holder: Holder[np.ndarray] = FLOAT_MATRIX if options.output_format == "kaldi" else HtkHolder(features.htk_kind)
    extractor = FeatureExtractor(features)
    done = total = 0
    with ExitStack() as stack:
        warps = stack.enter_context(Warps(options)) if isinstance(options, VtlnOptions) else None
        waves = stack.enter_context(SequentialReader(wav_rspecifier, WAVE))
        writer = stack.enter_context(TableWriter(feats_wspecifier, holder))
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
            warp = 1.0 if warps is None else warps.of(utterance)
            if warp is None:
                log.warning(f"No vtln-map entry for utterance-id (or speaker-id) {utterance}")
                continue
            try:
                feats = extractor(wave.data[channel], wave.sample_frequency, warp)
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

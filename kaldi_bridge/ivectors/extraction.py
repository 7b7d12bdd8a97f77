"""From features in a table to i-vectors in a table, speaker by speaker (ivector-extract-online2)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.command import option, without_effect
from kaldi_bridge.errors import EntryError
from kaldi_bridge.ivectors.online import IvectorSpeaker, OnlineIvectors
from kaldi_bridge.ivectors.options import IvectorOptions, IvectorSetup
from kaldi_bridge.tables import RandomAccessReader, SequentialReader, TableWriter
from kaldi_bridge.tables.holders import FLOAT_MATRIX, FLOAT_VECTOR, TOKEN_VECTOR
from kaldi_bridge.tables.loop import TableLoop

PITCH_DIMS = 3


@dataclass
class ExtractionOptions(IvectorOptions):
    """Options of ivector-extract-online2."""

    repeat: bool = option(False, "Output an i-vector for every frame, instead of one every --ivector-period frames")
    frame_weights_rspecifier: str = option("", "Table of vectors, the weights of each utterance's frames")
    num_threads: int = without_effect(8, "Nothing is prepared in threads here")
    length_tolerance: int = option(0, "Frames that weights may be more or fewer than features")


class _Extraction:
    """Extracts utterance after utterance; sums for the report."""

    def __init__(self, options: ExtractionOptions) -> None:
        options.use_most_recent_ivector = options.greedy_ivector_extractor = False
        self._options, self._setup = options, IvectorSetup(options)
        self._warned = False
        self._frames = self._lengths = self._last_lengths = self._improvement = 0.0

    def speaker(self) -> IvectorSpeaker:
        return IvectorSpeaker(self._setup)

    def ivectors(
        self, speaker: IvectorSpeaker, utterance: str, feats: np.ndarray, weights: np.ndarray | None
    ) -> np.ndarray:
        """[ceil(frames / period), dim], or one per frame.

        Raises EntryError for no frames or weights of another number, KaldiError for what the extractor cannot take.
        """
        if not len(feats):
            raise EntryError("it has no frames")
        online = OnlineIvectors(self._setup, speaker)
        if weights is not None:
            if abs(len(weights) - len(feats)) > self._options.length_tolerance:
                raise EntryError(f"{len(weights)} weights for {len(feats)} frames")
            padded = np.pad(weights[: len(feats)], (0, max(0, len(feats) - len(weights))))
            online.weigh(enumerate(padded.tolist()))
        online.extend(self._without_pitch(feats), last=True)
        step = 1 if self._options.repeat else self._options.ivector_period
        found = np.stack([online.at(t) for t in range(0, len(feats), step)])
        lengths = np.linalg.norm(found, axis=1)
        self._frames += len(feats)
        self._lengths += len(feats) * float(lengths.mean())
        self._last_lengths += len(feats) * float(lengths[-1])
        self._improvement += len(feats) * online.improvement()
        log.vlog(
            2,
            f"For utterance {utterance}, UBM loglike/frame was {online.log_likelihood_per_frame():g}, iVector length "
            f"(at utterance end) was {lengths[-1]:g}, objf improvement/frame from iVector estimation was "
            f"{online.improvement():g}",
        )
        online.end()
        return found

    def _without_pitch(self, feats: np.ndarray) -> np.ndarray:
        if feats.shape[1] != self._setup.feature_dim + PITCH_DIMS:
            return feats
        if not self._warned:
            log.warning(
                f"Feature dimension is too large by {PITCH_DIMS}, assuming there are pitch features and removing "
                f"the last {PITCH_DIMS} dims."
            )
            self._warned = True
        return feats[:, :-PITCH_DIMS]

    def report(self) -> None:
        frames = self._frames or math.nan
        log.info(
            f"Average objective-function improvement was {self._improvement / frames:g} per frame, over "
            f"{self._frames:g} frames (weighted)."
        )
        log.info(
            f"Average iVector length was {self._lengths / frames:g} and at utterance-end was "
            f"{self._last_lengths / frames:g}, over {self._frames:g} frames (weighted);  expected length is "
            f"{math.sqrt(self._setup.extractor.dim):g}"
        )


def extract_ivectors(options: ExtractionOptions, spk2utt: str, feats_rspecifier: str, ivectors_wspecifier: str) -> int:
    """Writes the i-vectors of each utterance, reports; returns the exit status."""
    extraction = _Extraction(options)
    loop = TableLoop()
    with ExitStack() as stack:
        speakers = stack.enter_context(SequentialReader(spk2utt, TOKEN_VECTOR))
        feats = stack.enter_context(RandomAccessReader(feats_rspecifier, FLOAT_MATRIX))
        weights = None
        if options.frame_weights_rspecifier:
            weights = stack.enter_context(RandomAccessReader(options.frame_weights_rspecifier, FLOAT_VECTOR))
        writer = stack.enter_context(TableWriter(ivectors_wspecifier, FLOAT_MATRIX))
        for speaker, utterance in _by_speaker(speakers, extraction):
            with loop.entry(utterance, f"No i-vectors for utterance {utterance}"):
                for table, what in ((feats, "features"), (weights, "weights")):
                    if table is not None and utterance not in table:
                        raise EntryError(f"Did not find {what}")
                given = None if weights is None else weights[utterance]
                writer.write(utterance, extraction.ivectors(speaker, utterance, feats[utterance], given))
    log.info(f"Estimated iVectors for {loop.done} files, {loop.failed} with errors.")
    extraction.report()
    return loop.status


def _by_speaker(speakers: SequentialReader[list[str]], extraction: _Extraction) -> Iterator[tuple[IvectorSpeaker, str]]:
    for _, utterances in speakers:
        speaker = extraction.speaker()
        for utterance in utterances:
            yield speaker, utterance

"""Where recordings have speech: in their segments or, where a data directory has none, by energy."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.data_dirs.data_dir import DataDir
from kaldi_bridge.data_dirs.segments import Segment
from kaldi_bridge.errors import EntryError, KaldiError
from kaldi_bridge.features.voice_activity import VadEnergyOptions, speech_segments, voiced_frames
from kaldi_bridge.tables import RandomAccessReader
from kaldi_bridge.tables.holders import FLOAT_MATRIX, FLOAT_VECTOR

PAUSE = 0.3
"""Seconds without voice that do not end a segment of speech."""
LEAST = 0.2
"""Seconds that a segment of speech has at least."""


@dataclass(frozen=True)
class Speech:
    """``features``: [frames, dim]; it begins ``start`` seconds after its recording, and has ``duration`` seconds."""

    name: str
    features: np.ndarray
    start: float
    duration: float


class SpeechOfRecordings:
    """Of a data directory with features; ``utterances`` by recording.

    Without segments, utterances are recordings, and vad.scp or ``vad`` tells which of their frames have voice.
    """

    def __init__(self, data: DataDir, vad: VadEnergyOptions) -> None:
        vad.check()
        data.table("feats.scp")
        self._segments = data.segments if "segments" in data.tables else {}
        self._options = vad
        self.frame_shift = _seconds(data)
        self.utterances: dict[str, list[str]] = defaultdict(list)
        for utterance in data.utterances:
            self.utterances[data.recording(utterance)].append(utterance)
        self._features = RandomAccessReader(f"scp:{data.path / 'feats.scp'}", FLOAT_MATRIX)
        self._vad = None
        if not self._segments and "vad.scp" in data.tables:
            self._vad = RandomAccessReader(f"scp:{data.path / 'vad.scp'}", FLOAT_VECTOR)

    def of(self, recording: str) -> list[Speech]:
        """In the order of the utterances' names; those without features are left out with a warning.

        Raises EntryError where nothing is left.
        """
        found = []
        for utterance in self.utterances[recording]:
            if utterance not in self._features or not len(self._features[utterance]):
                log.warning(f"No features for utterance {utterance}")
                continue
            found += self._of_utterance(utterance, self._features[utterance])
        if not found:
            raise EntryError(f"No speech in recording {recording}")
        return found

    def _of_utterance(self, utterance: str, features: np.ndarray) -> list[Speech]:
        shift = self.frame_shift
        segment: Segment | None = self._segments.get(utterance)
        if segment is not None:
            duration = segment.end - segment.start if segment.end >= 0 else len(features) * shift
            return [Speech(utterance, features, segment.start, duration)]
        spoken = speech_segments(self._voiced(utterance, features), round(PAUSE / shift), round(LEAST / shift))
        return [
            Speech(f"{utterance}-{first:07d}-{end:07d}", features[first:end], first * shift, (end - first) * shift)
            for first, end in spoken
        ]

    def _voiced(self, utterance: str, features: np.ndarray) -> np.ndarray:
        if self._vad is None or utterance not in self._vad:
            return voiced_frames(features, self._options)
        voiced: np.ndarray = self._vad[utterance] != 0
        if len(voiced) != len(features):
            raise EntryError(f"{len(features)} frames of {utterance}, but vad.scp is about {len(voiced)}")
        return voiced


def _seconds(data: DataDir) -> float:
    try:
        shift = float(data.frame_shift or 0.01)
    except ValueError:
        shift = 0.0
    if not 0 < shift < 1:
        raise KaldiError(f"{data.path / 'frame_shift'}: expected seconds, got {data.frame_shift!r}")
    return shift

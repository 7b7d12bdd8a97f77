"""What tells a network who speaks, in the place of online i-vectors: vectors that there are, one-hot speakers, or what
a TorchScript module makes of the features."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from kaldi_bridge.errors import EntryError, KaldiError
from kaldi_bridge.tables import RandomAccessReader
from kaldi_bridge.tables.holders import FLOAT_VECTOR
from steps_pytorch.data.feature_sources import FeatureSource


class SpeakerVectors(Protocol):
    """Vectors of utterances."""

    def rows(self, utterance: str, ends: Sequence[int]) -> np.ndarray:
        """float32 [len(ends), dim], for what was heard of it before each of these frames.

        Raises EntryError for an utterance that has none.
        """
        ...


class GivenVectors:
    """Of a table, by utterance or, where it has not the utterance, by speaker: x-vectors, say.

    ``utt2spk``: the speakers.
    """

    def __init__(self, rspecifier: str, utt2spk: Mapping[str, str]) -> None:
        self._reader, self._utt2spk = RandomAccessReader(rspecifier, FLOAT_VECTOR), utt2spk

    def rows(self, utterance: str, ends: Sequence[int]) -> np.ndarray:
        for key in (utterance, self._utt2spk[utterance]):
            if key in self._reader:
                return np.tile(self._reader[key], (len(ends), 1))
        raise EntryError(f"there is no vector for it or for its speaker {self._utt2spk[utterance]}")


class OneHot:
    """1 at the place of the speaker among those that are known; zeros for everybody else."""

    def __init__(self, speakers: Sequence[str], utt2spk: Mapping[str, str]) -> None:
        """Raises KaldiError where none of the utterances is by one of them."""
        self._places = {speaker: place for place, speaker in enumerate(speakers)}
        self._utt2spk = utt2spk
        if not self._places.keys() & set(utt2spk.values()):
            raise KaldiError(f"none of the {len(speakers)} speakers for one-hot vectors is in the data directory")

    def rows(self, utterance: str, ends: Sequence[int]) -> np.ndarray:
        made = np.zeros((len(ends), len(self._places)), np.float32)
        place = self._places.get(self._utt2spk[utterance])
        if place is not None:
            made[:, place] = 1.0
        return made


class Embeddings:
    """Of a TorchScript module from float32 [1, frames, dim] to [1, embedding dim]."""

    def __init__(self, module: Any, features: FeatureSource) -> None:
        self._module, self._features = module, features

    def rows(self, utterance: str, ends: Sequence[int]) -> np.ndarray:
        import torch

        heard = torch.from_numpy(self._features.frames(utterance, 0, ends[-1], None))
        made = []
        for end in ends:
            try:
                with torch.inference_mode():
                    made.append(self._module(heard[None, :end]).numpy().astype(np.float32))
            except (RuntimeError, TypeError) as error:
                raise EntryError(f"the module cannot compute its {end} frames: {error}") from error
            if made[-1].ndim != 2 or len(made[-1]) != 1:
                raise KaldiError(f"the module makes {list(made[-1].shape)} of [1, {end}, dim], expected [1, dim]")
        return np.concatenate(made)


def ends_of(frames: int, period: int) -> list[int]:
    """Where the frames end that each row is for, one row for every ``period`` frames."""
    return [min(begin + period, frames) for begin in range(0, frames, period)]

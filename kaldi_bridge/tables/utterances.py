"""What programs go through: features, by utterance or by speaker, and the posteriors that belong to them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Generic, TypeVar

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.errors import EntryError, within
from kaldi_bridge.tables.holders import FLOAT_MATRIX, TOKEN_VECTOR, Holder
from kaldi_bridge.tables.posterior import GaussPosterior, SparsePosterior
from kaldi_bridge.tables.random_access import RandomAccessReader
from kaldi_bridge.tables.sequential import SequentialReader

Utterances = Iterator[tuple[str, np.ndarray]]
FrontEnd = Callable[[str, np.ndarray], np.ndarray]
P = TypeVar("P", SparsePosterior, GaussPosterior)


class FeaturesBySpeaker:
    """Yields each speaker with an iterator over the (utterance, features [frames, dim]) of it.

    ``spk2utt``: rspecifier of the map from speaker to utterances; "": each utterance stands alone.
    ``front_end``: what is done to the features of an utterance; where it raises EntryError there are none.
    ``missing``: how many utterances had no features, each warned of. ``what``: "speaker" or "utterance".
    """

    def __init__(self, feats_rspecifier: str, spk2utt: str = "", front_end: FrontEnd | None = None) -> None:
        self.missing = 0
        self._front_end = front_end
        self.what = "speaker" if spk2utt else "utterance"
        with ExitStack() as stack:
            self._speakers: SequentialReader[list[str]] | None = None
            if spk2utt:
                self._speakers = stack.enter_context(SequentialReader(spk2utt, TOKEN_VECTOR))
                self._table = stack.enter_context(RandomAccessReader(feats_rspecifier, FLOAT_MATRIX))
            else:
                self._reader = stack.enter_context(SequentialReader(feats_rspecifier, FLOAT_MATRIX))
            self._open = stack.pop_all()

    def __iter__(self) -> Iterator[tuple[str, Utterances]]:
        if self._speakers is None:
            for utterance, feats in self._reader:
                yield utterance, self._prepared(utterance, feats)
            return
        for speaker, utterances in self._speakers:
            yield speaker, self._of(utterances)

    def _of(self, utterances: list[str]) -> Utterances:
        for utterance in utterances:
            if utterance in self._table:
                yield from self._prepared(utterance, self._table[utterance])
            else:
                self._leave_out(f"Did not find features for utterance {utterance}")

    def _prepared(self, utterance: str, feats: np.ndarray) -> Utterances:
        if self._front_end is not None:
            try:
                with within(f"utterance {utterance}"):
                    feats = self._front_end(utterance, feats)
            except EntryError as error:
                self._leave_out(str(error))
                return
        yield utterance, feats

    def _leave_out(self, message: str) -> None:
        log.warning(message)
        self.missing += 1

    def __enter__(self) -> FeaturesBySpeaker:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.__exit__(kind, error, trace)


class Posteriors(Generic[P]):
    """Posteriors by utterance, of either kind.

    ``made``: gives the posterior of what the holder reads, where that is something else.
    ``done``, ``missing``, ``errors``: utterances that had a posterior, that had none, that had one of another length.
    """

    def __init__(self, rspecifier: str, holder: Holder[Any], made: Callable[[Any], P] | None = None) -> None:
        self._table: RandomAccessReader[Any] = RandomAccessReader(rspecifier, holder)
        self._made: Callable[[Any], P] | None = made
        self.done = self.missing = self.errors = 0

    def of(self, utterance: str, num_frames: int) -> P | None:
        """Of an utterance of so many frames; None, counted and warned of, where there is none of that length."""
        read = self._table.get(utterance)
        if read is None:
            log.warning(f"Did not find posteriors for utterance {utterance}")
            self.missing += 1
            return None
        with within(f"utterance {utterance}"):
            posterior: P = read if self._made is None else self._made(read)
        if len(posterior) != num_frames:
            log.warning(f"Utterance {utterance}: Posterior vector has wrong size {len(posterior)} vs. {num_frames}")
            self.errors += 1
            return None
        self.done += 1
        return posterior

    def __enter__(self) -> Posteriors[P]:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._table.__exit__(kind, error, trace)

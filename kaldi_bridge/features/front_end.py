"""Features on their way into a GMM, in the program that uses them: normalized, with deltas or spliced, transformed.

What ``apply-cmvn | add-deltas | splice-feats | transform-feats | transform-feats | subsample-feats`` does before it,
without their processes.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import ExitStack
from dataclasses import dataclass

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.command import option
from kaldi_bridge.errors import EntryError, KaldiError
from kaldi_bridge.features.splicing import add_deltas, splice
from kaldi_bridge.tables import RandomAccessReader, SequentialReader
from kaldi_bridge.tables.holders import DOUBLE_MATRIX, FLOAT_MATRIX, Holder
from kaldi_bridge.transforms.cmvn import apply_cmvn
from kaldi_bridge.transforms.linear import read_transform, transform


@dataclass
class FrontEndOptions:
    """What to do to features first; nothing by default. Names are those of apply-cmvn, add-deltas and splice-feats."""

    cmvn: str = option("", "Rspecifier of statistics: normalize features first, as apply-cmvn does")
    utt2spk: str = option("", "With --cmvn, --speaker-transforms: rspecifier of the map from utterance to speaker")
    norm_means: bool = option(True, "With --cmvn: normalize means")
    norm_vars: bool = option(False, "With --cmvn: normalize variances too")
    delta_order: int = option(0, "Then add deltas up to this order, as add-deltas does")
    delta_window: int = option(2, "With --delta-order: frames on either side that a delta is computed from")
    left_context: int = option(0, "Then splice with so many frames before it, as splice-feats does")
    right_context: int = option(0, "Then splice with so many frames behind it, as splice-feats does")
    transform: str = option("", "Then transform by this matrix (LDA, say), a file, as transform-feats does")
    speaker_transforms: str = option("", "Then transform by the matrix of the speaker (fMLLR) in this rspecifier")
    subsample: int = option(1, "Then keep the first of each so many frames, as subsample-feats --n does")


class FrontEnd:
    """``front_end(utterance, feats)``: the features [frames, dim] as the options want them.

    Raises KaldiError at construction for options that make no sense, EntryError when called for a speaker without
    statistics or transform.
    """

    def __init__(self, options: FrontEndOptions) -> None:
        if options.subsample < 1:
            raise KaldiError(f"--subsample={options.subsample} must be positive")
        if options.norm_vars and not (options.cmvn and options.norm_means):
            raise KaldiError("--norm-vars needs --cmvn and --norm-means")
        if options.left_context < 0 or options.right_context < 0:
            raise KaldiError("--left-context and --right-context must not be negative")
        self._options = options
        self._matrix = read_transform(options.transform) if options.transform else None
        self._statistics: RandomAccessReader[np.ndarray] | None = None
        self._transforms: RandomAccessReader[np.ndarray] | None = None
        with ExitStack() as stack:
            if options.cmvn and options.norm_means:
                self._statistics = stack.enter_context(_of_speakers(options.cmvn, DOUBLE_MATRIX, options))
            if options.speaker_transforms:
                self._transforms = stack.enter_context(_of_speakers(options.speaker_transforms, FLOAT_MATRIX, options))
            self._open = stack.pop_all()

    def __call__(self, utterance: str, feats: np.ndarray, adapted: bool = True) -> np.ndarray:
        """``adapted``: with the transform of the speaker, if there are any."""
        options = self._options
        if self._statistics is not None:
            if utterance not in self._statistics:
                raise EntryError(f"No normalization statistics available for key {utterance}")
            feats = apply_cmvn(self._statistics[utterance], feats, options.norm_vars)
        if options.delta_order:
            feats = add_deltas(feats, options.delta_order, options.delta_window)
        if options.left_context or options.right_context:
            feats = splice(feats, options.left_context, options.right_context)
        if self._matrix is not None:
            feats = transform(feats, self._matrix)
        if adapted and self._transforms is not None:
            if utterance not in self._transforms:
                raise EntryError(f"No fMLLR transform available for utterance {utterance}")
            feats = transform(feats, self._transforms[utterance])
        return feats[:: options.subsample]

    def __enter__(self) -> FrontEnd:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()


def _of_speakers(
    rspecifier: str, holder: Holder[np.ndarray], options: FrontEndOptions
) -> RandomAccessReader[np.ndarray]:
    return RandomAccessReader(rspecifier, holder, utt2spk=options.utt2spk or None)


def processed(options: FrontEndOptions, feats_rspecifier: str) -> Generator[tuple[str, np.ndarray], None, None]:
    """Each utterance with its features, float32 [frames, dim].

    Those whose speaker has no statistics or transform are left out with a warning.
    """
    with SequentialReader(feats_rspecifier, FLOAT_MATRIX) as reader, FrontEnd(options) as front_end:
        for utterance, feats in reader:
            try:
                feats = front_end(utterance, feats)
            except EntryError as error:
                log.warning(str(error))
                continue
            except KaldiError as error:
                raise KaldiError(f"{utterance}: {error}") from error
            yield utterance, feats


class Features:
    """Features by utterance: ``utterance in features``, ``features.of(utterance)``."""

    def __init__(self, options: FrontEndOptions, feats_rspecifier: str) -> None:
        self._table = RandomAccessReader(feats_rspecifier, FLOAT_MATRIX)
        self._front_end = FrontEnd(options)

    def __contains__(self, utterance: str) -> bool:
        return utterance in self._table

    def of(self, utterance: str) -> np.ndarray:
        """float32 [frames, dim]. Raises EntryError where there are none, or what the speaker needs is missing."""
        if utterance not in self._table:
            raise EntryError(f"No features for utterance {utterance}")
        feats = self._table[utterance]
        if not len(feats):
            raise EntryError(f"Zero-length utterance: {utterance}")
        return self._front_end(utterance, feats)

    def __enter__(self) -> Features:
        return self

    def __exit__(self, *_: object) -> None:
        self._table.close()
        self._front_end.__exit__()

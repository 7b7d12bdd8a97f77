"""Features on their way into a GMM: normalized by speaker, with deltas; in the program that uses them.

What ``apply-cmvn ... | add-deltas ... | subsample-feats ...`` does in front of it, without their processes.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.command import option
from kaldi_bridge.errors import EntryError, KaldiError
from kaldi_bridge.features.splicing import add_deltas
from kaldi_bridge.tables import RandomAccessReader, SequentialReader
from kaldi_bridge.tables.holders import DOUBLE_MATRIX, FLOAT_MATRIX
from kaldi_bridge.transforms.cmvn import apply_cmvn


@dataclass
class FrontEndOptions:
    """What to do to features first; nothing by default. Names are those of apply-cmvn and add-deltas."""

    cmvn: str = option("", "Rspecifier of statistics: normalize features first, as apply-cmvn does")
    utt2spk: str = option("", "With --cmvn: rspecifier of the map from utterance to speaker")
    norm_means: bool = option(True, "With --cmvn: normalize means")
    norm_vars: bool = option(False, "With --cmvn: normalize variances too")
    delta_order: int = option(0, "Then add deltas up to this order, as add-deltas does")
    delta_window: int = option(2, "With --delta-order: frames on either side that a delta is computed from")
    subsample: int = option(1, "Then keep the first of each so many frames, as subsample-feats --n does")


class FrontEnd:
    """``front_end(utterance, feats)``: the features [frames, dim] as the options want them.

    Raises KaldiError at construction for options that make no sense, EntryError when called for a speaker without
    statistics.
    """

    def __init__(self, options: FrontEndOptions) -> None:
        if options.subsample < 1:
            raise KaldiError(f"--subsample={options.subsample} must be positive")
        if options.norm_vars and not (options.cmvn and options.norm_means):
            raise KaldiError("--norm-vars needs --cmvn and --norm-means")
        self._options = options
        self._statistics: RandomAccessReader[np.ndarray] | None = None
        if options.cmvn and options.norm_means:
            self._statistics = RandomAccessReader(options.cmvn, DOUBLE_MATRIX, utt2spk=options.utt2spk or None)

    def __call__(self, utterance: str, feats: np.ndarray) -> np.ndarray:
        options = self._options
        if self._statistics is not None:
            if utterance not in self._statistics:
                raise EntryError(f"No normalization statistics available for key {utterance}")
            feats = apply_cmvn(self._statistics[utterance], feats, options.norm_vars)
        if options.delta_order:
            feats = add_deltas(feats, options.delta_order, options.delta_window)
        return feats[:: options.subsample]

    def __enter__(self) -> FrontEnd:
        return self

    def __exit__(self, *_: object) -> None:
        if self._statistics is not None:
            self._statistics.close()


def processed(options: FrontEndOptions, feats_rspecifier: str) -> Generator[tuple[str, np.ndarray], None, None]:
    """Each utterance with its features, float32 [frames, dim]; those without statistics are left out with a warning."""
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
        """float32 [frames, dim]. Raises EntryError where there are none, or no statistics of the speaker."""
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

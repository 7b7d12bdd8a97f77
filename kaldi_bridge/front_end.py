"""Features on their way into a GMM: normalized by speaker, with deltas; in the program that uses them.

What ``apply-cmvn ... | add-deltas ... | subsample-feats ...`` does in front of it, without their processes.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.cmvn import apply_cmvn
from kaldi_bridge.command import option
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.feature_transforms import add_deltas
from kaldi_bridge.holders import DOUBLE_MATRIX, FLOAT_MATRIX
from kaldi_bridge.tables import RandomAccessReader, SequentialReader


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


def processed(options: FrontEndOptions, feats_rspecifier: str) -> Iterator[tuple[str, np.ndarray]]:
    """Each utterance with its features, float32 [frames, dim]; those without statistics are left out with a warning."""
    if options.subsample < 1:
        raise KaldiError(f"--subsample={options.subsample} must be positive")
    normalize = bool(options.cmvn) and options.norm_means
    if options.norm_vars and not normalize:
        raise KaldiError("--norm-vars needs --cmvn and --norm-means")
    statistics = (
        RandomAccessReader(options.cmvn, DOUBLE_MATRIX, utt2spk=options.utt2spk or None) if normalize else nullcontext()
    )
    with SequentialReader(feats_rspecifier, FLOAT_MATRIX) as reader, statistics as stats:
        for utterance, feats in reader:
            if stats is not None:
                if utterance not in stats:
                    log.warning(f"No normalization statistics for utterance {utterance}: leaving it out")
                    continue
                feats = apply_cmvn(stats[utterance], feats, options.norm_vars)
            if options.delta_order:
                feats = add_deltas(feats, options.delta_order, options.delta_window)
            yield utterance, feats[:: options.subsample]

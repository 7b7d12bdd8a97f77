"""nnet-pytorch-weight-post: twin of weight-post."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.hmm.posterior import scaled
from kaldi_bridge.tables import RandomAccessReader, SequentialReader, TableWriter
from kaldi_bridge.tables.holders import FLOAT_VECTOR, SPARSE_POSTERIOR

USAGE = """Weight posteriors by a weight for each frame.
Usage: nnet-pytorch-weight-post <post-rspecifier> <weights-rspecifier> <post-wspecifier>
e.g.: nnet-pytorch-weight-post ark:1.post ark:weights.ark ark:weighted.post"""


@dataclass
class Options:
    """Options of weight-post."""

    length_tolerance: int = option(
        2, "Tolerate this many frames of length mismatch; frames without a weight become empty"
    )


def weight_post(options: Options, posteriors: str, weights_in: str, wspecifier: str) -> int:
    done = errors = 0
    with (
        SequentialReader(posteriors, SPARSE_POSTERIOR) as reader,
        RandomAccessReader(weights_in, FLOAT_VECTOR) as table,
        TableWriter(wspecifier, SPARSE_POSTERIOR) as writer,
    ):
        for utterance, posterior in reader:
            if utterance not in table:
                log.warning(f"No weights for utterance {utterance}")
                errors += 1
                continue
            weights = table[utterance]
            if abs(len(weights) - len(posterior)) > options.length_tolerance:
                log.warning(f"Weights for utterance {utterance} have wrong size, {len(weights)} vs. {len(posterior)}")
                errors += 1
                continue
            padded = np.zeros(len(posterior), np.float32)
            padded[: len(weights)] = weights[: len(posterior)]
            writer.write(utterance, scaled(posterior, padded))
            done += 1
    log.info(f"Scaled {done} posteriors; errors on {errors}")
    return 0 if done else 1


main = command(weight_post, usage=USAGE)

if __name__ == "__main__":
    main()

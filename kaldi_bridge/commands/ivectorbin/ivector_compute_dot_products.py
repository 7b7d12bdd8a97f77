"""nnet-pytorch-ivector-compute-dot-products: twin of ivector-compute-dot-products."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.command import command
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.ivectors.trials import Trials, write_scores
from kaldi_bridge.tables import RandomAccessReader
from kaldi_bridge.tables.holders import FLOAT_VECTOR

USAGE = """Score trials, lines of two keys, by the dot products of their i-vectors.
Usage: nnet-pytorch-ivector-compute-dot-products <trials-in> <ivector1-rspecifier> <ivector2-rspecifier> <scores-out>
e.g.: nnet-pytorch-ivector-compute-dot-products trials ark:train_ivectors.ark ark:test_ivectors.ark trials.scored"""


def ivector_compute_dot_products(trials_in: str, first: str, second: str, scores_out: str) -> int:
    with RandomAccessReader(first, FLOAT_VECTOR) as table1, RandomAccessReader(second, FLOAT_VECTOR) as table2:
        trials = Trials(trials_in, table1, table2, ("1st table of ivectors", "2nd table of ivectors"))
        done = write_scores(scores_out, _dot_products(trials, table1, table2), "dot-product")
    log.info(f"Processed {done} trials {trials.failed} had errors.")
    return 0 if done else 1


def _dot_products(
    trials: Trials, table1: RandomAccessReader[np.ndarray], table2: RandomAccessReader[np.ndarray]
) -> Iterator[tuple[str, str, float]]:
    for key1, key2 in trials:
        vector1, vector2 = table1[key1], table2[key2]
        if vector1.shape != vector2.shape:
            raise KaldiError(f"i-vectors of {key1} and {key2} have {len(vector1)} and {len(vector2)} dimensions")
        yield key1, key2, float(vector1 @ vector2)


main = command(ivector_compute_dot_products, usage=USAGE)

if __name__ == "__main__":
    main()

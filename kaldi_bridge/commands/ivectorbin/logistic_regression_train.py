"""nnet-pytorch-logistic-regression-train: twin of logistic-regression-train."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.c_random import CRandom
from kaldi_bridge.command import command
from kaldi_bridge.errors import EntryError, KaldiError
from kaldi_bridge.ivectors.logistic_regression import LogisticRegressionOptions, train, write_logistic_regression
from kaldi_bridge.options import OutputOptions
from kaldi_bridge.tables import RandomAccessReader, SequentialReader
from kaldi_bridge.tables.holders import FLOAT_VECTOR, INT32
from kaldi_bridge.tables.loop import TableLoop

USAGE = """Train a classifier of vectors by logistic regression. Classes are numbers from 0 on, without gaps.
Usage: nnet-pytorch-logistic-regression-train [options] <vector-rspecifier> <classes-rspecifier> <model-out>
e.g.: nnet-pytorch-logistic-regression-train scp:ivectors.scp ark:languages model"""


@dataclass
class Options(OutputOptions, LogisticRegressionOptions):
    """Options of logistic-regression-train."""


def logistic_regression_train(options: Options, vectors_in: str, classes_in: str, model_out: str) -> None:
    loop = TableLoop()
    vectors: list[np.ndarray] = []
    labels: list[int] = []
    with RandomAccessReader(vectors_in, FLOAT_VECTOR) as table, SequentialReader(classes_in, INT32) as classes:
        for utterance, label in classes:
            with loop.entry(utterance):
                if utterance not in table:
                    raise EntryError(f"No vector for utterance {utterance}")
                vector = table[utterance]
                if vectors and len(vector) != len(vectors[0]):
                    raise KaldiError(f"a vector of dimension {len(vector)}, but {len(vectors[0])} before")
                vectors.append(vector)
                labels.append(label)
    log.info(
        f"Retrieved {loop.done} vectors with {loop.failed} missing. There were {max(labels, default=0) + 1} class "
        "labels."
    )
    if not vectors:
        raise KaldiError("No vectors processed. Unable to train.")
    model = train(np.stack(vectors), np.array(labels, np.int64), options, CRandom(0))
    write_logistic_regression(model_out, options.binary, model)


main = command(logistic_regression_train, usage=USAGE)

if __name__ == "__main__":
    main()

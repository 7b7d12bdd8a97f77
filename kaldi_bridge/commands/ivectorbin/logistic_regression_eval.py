"""nnet-pytorch-logistic-regression-eval: twin of logistic-regression-eval."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.command import command, option, without_effect
from kaldi_bridge.errors import EntryError, KaldiError, within
from kaldi_bridge.io.basic_io import format_float
from kaldi_bridge.io.streams import open_output
from kaldi_bridge.io.text import encode
from kaldi_bridge.ivectors.logistic_regression import LogisticRegression, read_logistic_regression
from kaldi_bridge.tables import RandomAccessReader, SequentialReader, TableWriter
from kaldi_bridge.tables.holders import FLOAT_VECTOR, INT32
from kaldi_bridge.tables.loop import TableLoop

USAGE = """Write the log posteriors of all classes for vectors, or a line with that of the given class for each trial.
Usage: nnet-pytorch-logistic-regression-eval [options] <model> <vectors-rspecifier> <log-posteriors-wspecifier>
or: nnet-pytorch-logistic-regression-eval [options] <model> <trials-rspecifier> <vectors-rspecifier> <scores-out>
e.g.: nnet-pytorch-logistic-regression-eval model scp:ivectors.scp ark,t:posteriors"""

TRAINING = "Of training: nothing is trained here, in Kaldi neither"


@dataclass
class Options:
    """Options of logistic-regression-eval."""

    apply_log: bool = option(True, "false: write posteriors instead of their logarithms")
    max_steps: int = without_effect(20, TRAINING)
    mix_up: int = without_effect(0, TRAINING)
    normalizer: float = without_effect(0.0025, TRAINING, type="double")
    power: float = without_effect(0.15, TRAINING, type="double")


def logistic_regression_eval(options: Options, model_in: str, first: str, second: str, scores_out: str = "") -> int:
    model = read_logistic_regression(model_in)
    if scores_out:
        return _scores(model, options.apply_log, first, second, scores_out)
    done = 0
    with SequentialReader(first, FLOAT_VECTOR) as reader, TableWriter(second, FLOAT_VECTOR) as writer:
        for utterance, vector in reader:
            writer.write(utterance, _posteriors(model, utterance, vector, options.apply_log))
            done += 1
    log.info(f"Calculated log posteriors for {done} vectors.")
    return 0 if done else 1


def _scores(model: LogisticRegression, apply_log: bool, trials_in: str, vectors_in: str, scores_out: str) -> int:
    loop, lines = TableLoop(), []
    with SequentialReader(trials_in, INT32) as trials, RandomAccessReader(vectors_in, FLOAT_VECTOR) as table:
        for utterance, label in trials:
            with loop.entry(utterance):
                if utterance not in table:
                    raise EntryError(f"No vector for utterance {utterance}")
                posteriors = _posteriors(model, utterance, table[utterance], apply_log)
                if not 0 <= label < len(posteriors):
                    raise KaldiError(f"class {label} of a model of {len(posteriors)} classes")
                lines.append(f"{utterance} {label} {format_float(posteriors[label])}\n")
    if not lines:
        log.warning("Read no input")
        return 1
    with open_output(scores_out) as stream:
        stream.write(encode("".join(lines)))
    log.info(f"Calculated scores for {loop.done} vectors with {loop.failed} missing. ")
    return 0


def _posteriors(model: LogisticRegression, utterance: str, vector: np.ndarray, apply_log: bool) -> np.ndarray:
    with within(utterance):
        posteriors: np.ndarray = model.log_posteriors(vector[np.newaxis])[0]
    return posteriors if apply_log else np.exp(posteriors)


main = command(logistic_regression_eval, usage=USAGE)

if __name__ == "__main__":
    main()

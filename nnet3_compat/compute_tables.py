"""Network outputs from table to table: what the compute programs do between command line and exit status."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.holders import FLOAT_MATRIX, FLOAT_VECTOR
from kaldi_bridge.tables import RandomAccessReader, SequentialReader, TableWriter
from nnet3_compat.computation import Computer, Utterance
from nnet3_compat.computation_options import IvectorOptions


class Utterances:
    """Features and i-vectors of each utterance, read from tables; those that lack something are reported and counted.

    Attributes:
        failed: utterances left out so far.
        frames: feature frames given out so far.
    """

    def __init__(self, feature_rspecifier: str, options: IvectorOptions):
        self.feature_rspecifier, self.options = feature_rspecifier, options
        self.failed = 0
        self.frames = 0

    def __iter__(self) -> Iterator[Utterance]:
        options = self.options
        ivectors = online = None
        if options.ivectors:
            utt2spk = options.utt2spk or None
            ivectors = RandomAccessReader(options.ivectors, FLOAT_VECTOR, utt2spk=utt2spk)
        if options.online_ivectors:
            online = RandomAccessReader(options.online_ivectors, FLOAT_MATRIX)
        for key, features in SequentialReader(self.feature_rspecifier, FLOAT_MATRIX):
            utterance = Utterance(key, features, ivector_period=options.online_ivector_period)
            if features.shape[0] == 0:
                self._leave_out(f"Zero-length utterance: {key}")
                continue
            if ivectors is not None:
                if key not in ivectors:
                    self._leave_out(f"No iVector available for utterance {key}")
                    continue
                utterance.ivector = ivectors[key]
            if online is not None:
                if key not in online:
                    self._leave_out(f"No online iVector available for utterance {key}")
                    continue
                utterance.online_ivectors = online[key]
            self.frames += features.shape[0]
            yield utterance

    def _leave_out(self, why: str) -> None:
        log.warning(why)
        self.failed += 1


def compute_tables(computer: Computer, utterances: Utterances, matrix_wspecifier: str, apply_exp: bool) -> int:
    """Writes the output of every utterance; returns how many."""
    done = 0
    with TableWriter(matrix_wspecifier, FLOAT_MATRIX) as writer:
        for key, output in computer.compute_many(utterances):
            if apply_exp:
                np.exp(output, out=output)
            writer.write(key, output)
            done += 1
    return done

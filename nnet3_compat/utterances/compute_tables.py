"""Network outputs from table to table: what the compute programs do between command line and exit status."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.tables import RandomAccessReader, SequentialReader, TableWriter
from kaldi_bridge.tables.holders import FLOAT_MATRIX, FLOAT_VECTOR
from nnet3_compat.utterances.computation import Computer, Utterance
from nnet3_compat.utterances.computation_options import IvectorOptions
from nnet3_compat.utterances.matrix_blocks import MatrixBlocks, MatrixOrBlocksHolder

LARGE_BYTES = 1 << 28
"""Outputs of an utterance larger than this are written as they are computed."""


class Utterances:
    """Features and i-vectors of each utterance, read from tables; those that lack something are reported and counted.

    Attributes:
        failed: utterances left out so far.
        frames: feature frames given out so far.
    """

    def __init__(self, feature_rspecifier: str, options: IvectorOptions) -> None:
        self.feature_rspecifier = feature_rspecifier
        self.failed = 0
        self.frames = 0
        self._ivectors = self._online = None
        self._period = options.online_ivector_period
        if options.ivectors:
            self._ivectors = RandomAccessReader(options.ivectors, FLOAT_VECTOR, utt2spk=options.utt2spk or None)
        if options.online_ivectors:
            self._online = RandomAccessReader(options.online_ivectors, FLOAT_MATRIX)

    def __iter__(self) -> Iterator[Utterance]:
        with SequentialReader(self.feature_rspecifier, FLOAT_MATRIX) as reader:
            for key, features in reader:
                utterance = self.complete(key, features)
                if utterance is not None:
                    yield utterance

    def complete(self, key: str, features: np.ndarray) -> Utterance | None:
        """An utterance with its i-vectors; None, reported and counted, where something is missing."""
        utterance = Utterance(key, features, ivector_period=self._period)
        if features.shape[0] == 0:
            return self._leave_out(f"Zero-length utterance: {key}")
        if self._ivectors is not None:
            if key not in self._ivectors:
                return self._leave_out(f"No iVector available for utterance {key}")
            utterance.ivector = self._ivectors[key]
        if self._online is not None:
            if key not in self._online:
                return self._leave_out(f"No online iVector available for utterance {key}")
            utterance.online_ivectors = self._online[key]
        self.frames += features.shape[0]
        return utterance

    def _leave_out(self, why: str) -> Utterance | None:
        log.warning(why)
        self.failed += 1
        return None


def compute_tables(computer: Computer, utterances: Utterances, matrix_wspecifier: str, apply_exp: bool) -> int:
    """Writes the output of every utterance; returns how many."""
    done = 0
    holder: Any = MatrixOrBlocksHolder()
    with TableWriter(matrix_wspecifier, holder) as writer:
        for key, output in _outputs(computer, iter(utterances)):
            if not apply_exp:
                writer.write(key, output)
            elif isinstance(output, MatrixBlocks):
                writer.write(key, MatrixBlocks(output.rows, output.columns, map(np.exp, output.blocks)))
            else:
                writer.write(key, np.exp(output, out=output))
            done += 1
    return done


def _outputs(computer: Computer, utterances: Iterator[Utterance]) -> Iterator[tuple[str, np.ndarray | MatrixBlocks]]:
    """Outputs in order, in blocks where the whole is large."""
    large: list[Utterance] = []

    def until_large() -> Iterator[Utterance]:
        for utterance in utterances:
            if 4 * computer.num_outputs(utterance) * computer.model.output_dim > LARGE_BYTES:
                large.append(utterance)
                return
            yield utterance

    while True:
        yield from computer.compute_many(until_large())
        if not large:
            return
        utterance = large.pop()
        rows, columns = computer.num_outputs(utterance), computer.model.output_dim
        yield utterance.key, MatrixBlocks(rows, columns, computer.compute_blocks(utterance))

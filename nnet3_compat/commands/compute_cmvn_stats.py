"""nnet-pytorch-compute-cmvn-stats: twin of compute-cmvn-stats."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.features.cmvn import compute_stats
from kaldi_bridge.io.basic_io import write_header
from kaldi_bridge.io.matrix_io import write_matrix
from kaldi_bridge.io.streams import open_output
from kaldi_bridge.tables import RandomAccessReader, SequentialReader, TableWriter, is_wspecifier
from kaldi_bridge.tables.holders import DOUBLE_MATRIX, FLOAT_MATRIX, FLOAT_VECTOR, TOKEN_VECTOR

USAGE = """Compute statistics for mean and variance normalization: per utterance, per speaker with --spk2utt,
or, when the output is a file rather than a table, over everything.
Usage: nnet-pytorch-compute-cmvn-stats [options] <feats-rspecifier> (<stats-wspecifier>|<stats-wxfilename>)
e.g.: nnet-pytorch-compute-cmvn-stats --spk2utt=ark:data/train/spk2utt scp:data/train/feats.scp ark,scp:c.ark,c.scp"""


@dataclass
class Options:
    """Options of compute-cmvn-stats."""

    spk2utt: str = option("", "Rspecifier of the map from speaker to utterances")
    binary: bool = option(True, "Write in binary mode (only for global statistics)")
    weights: str = option("", "Rspecifier of a vector of weights, one per frame, for each utterance")


class _Accumulator:
    """Sums statistics of utterances, counting those that cannot be used."""

    def __init__(self, weights: RandomAccessReader | None) -> None:
        self._weights = weights
        self.done = self.errors = 0

    def one(self, utterance: str, feats: np.ndarray) -> np.ndarray | None:
        """Statistics of one utterance; None, counted and reported, when its weights are missing or wrong."""
        weights = None
        if self._weights is not None:
            if utterance not in self._weights:
                self.failed(f"No weights available for utterance {utterance}")
                return None
            weights = self._weights[utterance]
            if len(weights) != len(feats):
                self.failed(f"Weights for utterance {utterance} have wrong dimension {len(weights)} vs. {len(feats)}")
                return None
        self.done += 1
        return compute_stats(feats, weights)

    def failed(self, message: str) -> None:
        log.warning(message)
        self.errors += 1

    def all(self, utterances: Iterable[tuple[str, np.ndarray]]) -> np.ndarray | None:
        """Summed statistics, None when no utterance could be used."""
        total: np.ndarray | None = None
        for utterance, feats in utterances:
            stats = self.one(utterance, feats)
            if stats is None:
                continue
            if total is not None and total.shape != stats.shape:
                raise KaldiError(f"utterance {utterance} has dimension {feats.shape[1]}, not {total.shape[1] - 1}")
            total = stats if total is None else total + stats
        return total


def compute_cmvn_stats(options: Options, feats_rspecifier: str, output: str) -> int:
    with ExitStack() as stack:
        weights = None
        if options.weights:
            weights = stack.enter_context(RandomAccessReader(options.weights, FLOAT_VECTOR))
        accumulator = _Accumulator(weights)
        if is_wspecifier(output):
            writer = stack.enter_context(TableWriter(output, DOUBLE_MATRIX))
            if options.spk2utt:
                _per_speaker(accumulator, options.spk2utt, feats_rspecifier, writer)
            else:
                for utterance, feats in stack.enter_context(SequentialReader(feats_rspecifier, FLOAT_MATRIX)):
                    stats = accumulator.one(utterance, feats)
                    if stats is not None:
                        writer.write(utterance, stats)
        elif options.spk2utt:
            raise KaldiError("--spk2utt option not compatible with wxfilename as output (did you forget ark:?)")
        else:
            stats = accumulator.all(stack.enter_context(SequentialReader(feats_rspecifier, FLOAT_MATRIX)))
            if stats is None:
                raise KaldiError(f"no statistics: {feats_rspecifier} has no utterance that can be used")
            with open_output(output) as stream:
                write_header(stream, options.binary)
                write_matrix(stream, options.binary, stats.astype(np.float32))
            log.info(f"Wrote global CMVN stats to {output}")
    log.info(f"Done accumulating CMVN stats for {accumulator.done} utterances; {accumulator.errors} had errors.")
    return 0 if accumulator.done else 1


def _per_speaker(accumulator: _Accumulator, spk2utt: str, feats_rspecifier: str, writer: TableWriter) -> None:
    with (
        SequentialReader(spk2utt, TOKEN_VECTOR) as speakers,
        RandomAccessReader(feats_rspecifier, FLOAT_MATRIX) as feats,
    ):

        def present(utterances: list[str]) -> Iterator[tuple[str, np.ndarray]]:
            for utterance in utterances:
                if utterance in feats:
                    yield utterance, feats[utterance]
                else:
                    accumulator.failed(f"Did not find features for utterance {utterance}")

        for speaker, utterances in speakers:
            stats = accumulator.all(present(utterances))
            if stats is None:
                log.warning(f"No stats accumulated for speaker {speaker}")
            else:
                writer.write(speaker, stats)


main = command(compute_cmvn_stats, usage=USAGE)

if __name__ == "__main__":
    main()

"""nnet-pytorch-compute-cmvn-stats: twin of compute-cmvn-stats."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.errors import EntryError, KaldiError
from kaldi_bridge.io.basic_io import write_header
from kaldi_bridge.io.filenames import printable_output
from kaldi_bridge.io.matrix_io import write_matrix
from kaldi_bridge.io.streams import open_output
from kaldi_bridge.tables import RandomAccessReader, SequentialReader, TableWriter, is_wspecifier
from kaldi_bridge.tables.holders import DOUBLE_MATRIX, FLOAT_MATRIX, FLOAT_VECTOR, TOKEN_VECTOR
from kaldi_bridge.tables.loop import TableLoop
from kaldi_bridge.transforms.cmvn import compute_stats

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

    def __init__(self, weights: RandomAccessReader[np.ndarray] | None) -> None:
        self._weights = weights
        self.loop = TableLoop()

    def add(self, utterance: str, feats: np.ndarray, total: np.ndarray | None) -> np.ndarray:
        """``total``, zeros at first, and an utterance's statistics."""
        if total is None:
            if not feats.shape[1]:
                raise KaldiError(f"{utterance}: features without frames have no dimension for statistics")
            total = np.zeros((2, feats.shape[1] + 1))
        with self.loop.entry(utterance):
            weights = None if self._weights is None else self._weights_of(self._weights, utterance, len(feats))
            if len(feats):
                stats = compute_stats(feats, weights)
                if stats.shape != total.shape:
                    raise KaldiError(f"features of dimension {feats.shape[1]}, not {total.shape[1] - 1}")
                total = total + stats
        return total

    def _weights_of(self, table: RandomAccessReader[np.ndarray], utterance: str, num_frames: int) -> np.ndarray:
        if utterance not in table:
            raise EntryError(f"No weights available for utterance {utterance}")
        weights = table[utterance]
        if len(weights) != num_frames:
            raise EntryError(f"Weights for utterance {utterance} have wrong dimension {len(weights)} vs. {num_frames}")
        return weights


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
                    done = accumulator.loop.done
                    stats = accumulator.add(utterance, feats, None)
                    if accumulator.loop.done > done:
                        writer.write(utterance, stats)
        elif options.spk2utt:
            raise KaldiError("--spk2utt option not compatible with wxfilename as output (did you forget ark:?)")
        else:
            total: np.ndarray | None = None
            for utterance, feats in stack.enter_context(SequentialReader(feats_rspecifier, FLOAT_MATRIX)):
                total = accumulator.add(utterance, feats, total)
            with open_output(output) as stream:
                write_header(stream, options.binary)
                write_matrix(stream, options.binary, np.zeros((0, 0)) if total is None else total.astype(np.float32))
            log.info(f"Wrote global CMVN stats to {printable_output(output)}")
    loop = accumulator.loop
    log.info(f"Done accumulating CMVN stats for {loop.done} utterances; {loop.failed} had errors.")
    return loop.status


def _per_speaker(
    accumulator: _Accumulator, spk2utt: str, feats_rspecifier: str, writer: TableWriter[np.ndarray]
) -> None:
    with (
        SequentialReader(spk2utt, TOKEN_VECTOR) as speakers,
        RandomAccessReader(feats_rspecifier, FLOAT_MATRIX) as feats,
    ):
        for speaker, utterances in speakers:
            total: np.ndarray | None = None
            for utterance in utterances:
                if utterance in feats:
                    total = accumulator.add(utterance, feats[utterance], total)
                else:
                    accumulator.loop.fail(f"Did not find features for utterance {utterance}")
            if total is None:
                log.warning(f"No stats accumulated for speaker {speaker}")
            else:
                writer.write(speaker, total)


main = command(compute_cmvn_stats, usage=USAGE)

if __name__ == "__main__":
    main()

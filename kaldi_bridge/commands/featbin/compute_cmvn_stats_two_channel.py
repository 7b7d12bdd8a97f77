"""nnet-pytorch-compute-cmvn-stats-two-channel: twin of compute-cmvn-stats-two-channel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.tables import RandomAccessReader, TableWriter
from kaldi_bridge.tables.holders import DOUBLE_MATRIX, FLOAT_MATRIX
from kaldi_bridge.tables.loop import TableLoop
from kaldi_bridge.transforms.cmvn import compute_stats
from kaldi_bridge.transforms.two_channel_cmvn import read_sides, statistics_of_pair

USAGE = """Compute statistics for mean and variance normalization of both sides of telephone calls.
A frame counts for the side that is louder by its first dimension; lines of the first file are: utterance call side.
Usage: nnet-pytorch-compute-cmvn-stats-two-channel [options] <reco2file-and-channel> <feats-rspecifier> \\
    <stats-wspecifier>
e.g.: nnet-pytorch-compute-cmvn-stats-two-channel data/train/reco2file_and_channel scp:data/train/feats.scp ark:-"""


@dataclass
class Options:
    """Options of compute-cmvn-stats-two-channel."""

    quieter_channel_weight: float = option(0.01, "Weight of the quieter side's frames")


def compute_cmvn_stats_two_channel(options: Options, sides_in: str, feats_rspecifier: str, wspecifier: str) -> int:
    loop = TableLoop()
    with (
        RandomAccessReader(feats_rspecifier, FLOAT_MATRIX) as feats,
        TableWriter(wspecifier, DOUBLE_MATRIX) as writer,
    ):
        for utterances in read_sides(sides_in):
            present = [utterance for utterance in utterances if utterance in feats]
            for utterance in utterances:
                if utterance not in feats:
                    loop.fail(f"No feature data for utterance {utterance}")
            for utterance, stats in zip(present, _statistics(present, feats, options), strict=True):
                with loop.entry(utterance):
                    writer.write(utterance, stats)
    log.info(f"Done accumulating CMVN stats for {loop.done} utterances; {loop.failed} had errors.")
    return loop.status


def _statistics(
    utterances: list[str], feats: RandomAccessReader[np.ndarray], options: Options
) -> tuple[np.ndarray, ...]:
    sides = [feats[utterance] for utterance in utterances]
    if len(sides) == 2:
        (one, two), lengths = utterances, [len(side) for side in sides]
        if lengths[0] == lengths[1]:
            return statistics_of_pair(sides[0], sides[1], options.quieter_channel_weight)
        log.warning(
            f"Number of frames differ between {one} and {two}: {lengths[0]} vs. {lengths[1]}, treating them separately."
        )
    return tuple(compute_stats(side) for side in sides)


main = command(compute_cmvn_stats_two_channel, usage=USAGE)

if __name__ == "__main__":
    main()

"""nnet-pytorch-agglomerative-cluster: twin of agglomerative-cluster."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass

import numpy as np

from kaldi_bridge.command import command, option
from kaldi_bridge.errors import KaldiError, within
from kaldi_bridge.ivectors.agglomerative_clustering import agglomerative_clusters
from kaldi_bridge.tables import RandomAccessReader, SequentialReader, TableWriter
from kaldi_bridge.tables.holders import FLOAT_MATRIX, INT32, TOKEN_VECTOR

USAGE = """Cluster the segments of each recording by scores of how alike they are, for speaker diarization.
Rows and columns of the scores stand for the segments in the order of reco2utt; written are lines of segment and label.
Usage: nnet-pytorch-agglomerative-cluster [options] <scores-rspecifier> <reco2utt-rspecifier> <labels-wspecifier>
e.g.: nnet-pytorch-agglomerative-cluster --threshold=0.3 ark:scores.ark ark:reco2utt ark,t:labels.txt"""


@dataclass
class Options:
    """Options of agglomerative-cluster."""

    reco2num_spk_rspecifier: str = option(
        "", "Table of how many clusters to make of each recording; --threshold has no effect then"
    )
    threshold: float = option(0.0, "Merge clusters whose score is at least this (with --read-costs: cost at most)")
    read_costs: bool = option(False, "The matrices are costs, smaller where segments are more alike")
    first_pass_max_utterances: int = option(
        32767, "More segments than this are clustered in contiguous parts first, and then these clusters"
    )
    max_spk_fraction: float = option(
        1.0,
        "No cluster gets more than this fraction of the segments; for --reco2num-spk-rspecifier, and from 1 / num-spk "
        "to 1",
    )


def agglomerative_cluster(options: Options, scores: str, reco2utt: str, labels: str) -> None:
    threshold = options.threshold if options.read_costs else -options.threshold
    with ExitStack() as stack:
        reader = stack.enter_context(SequentialReader(scores, FLOAT_MATRIX))
        recordings = stack.enter_context(RandomAccessReader(reco2utt, TOKEN_VECTOR))
        speakers = None
        if options.reco2num_spk_rspecifier:
            speakers = stack.enter_context(RandomAccessReader(options.reco2num_spk_rspecifier, INT32))
        writer = stack.enter_context(TableWriter(labels, INT32))
        for recording, matrix in reader:
            with within(f"recording {recording}"):
                segments = recordings[recording]
                if len(segments) != len(matrix):
                    raise KaldiError(f"scores of {len(matrix)} segments, but {reco2utt} has {len(segments)}")
                costs = matrix if options.read_costs else -matrix
                most = options.first_pass_max_utterances
                if speakers is None:
                    found = agglomerative_clusters(costs, threshold, 1, most)
                else:
                    number = speakers[recording]
                    found = agglomerative_clusters(
                        costs, LARGEST, number, most, _fraction(options.max_spk_fraction, number)
                    )
                for segment, label in zip(segments, found.tolist(), strict=True):
                    writer.write(segment, label)


LARGEST = float(np.finfo(np.float32).max)


def _fraction(asked: float, speakers: int) -> float:
    return asked if speakers > 0 and 1 / speakers <= np.float32(asked) <= 1 else 1.0


main = command(agglomerative_cluster, usage=USAGE)

if __name__ == "__main__":
    main()

"""nnet-pytorch-agglomerative-cluster: twin of agglomerative-cluster."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, replace

from kaldi_bridge.command import command, option
from kaldi_bridge.errors import KaldiError, within
from kaldi_bridge.ivectors.agglomerative_clustering import ClusteringOptions, clusters_of_scores
from kaldi_bridge.tables import RandomAccessReader, SequentialReader, TableWriter
from kaldi_bridge.tables.holders import FLOAT_MATRIX, INT32, TOKEN_VECTOR

USAGE = """Cluster the segments of each recording by scores of how alike they are, for speaker diarization.
Rows and columns of the scores stand for the segments in the order of reco2utt; written are lines of segment and label.
Usage: nnet-pytorch-agglomerative-cluster [options] <scores-rspecifier> <reco2utt-rspecifier> <labels-wspecifier>
e.g.: nnet-pytorch-agglomerative-cluster --threshold=0.3 ark:scores.ark ark:reco2utt ark,t:labels.txt"""


@dataclass
class Options(ClusteringOptions):
    """Options of agglomerative-cluster."""

    reco2num_spk_rspecifier: str = option(
        "", "Table of how many clusters to make of each recording; --threshold has no effect then"
    )
    threshold: float = option(0.0, "Merge clusters whose score is at least this (with --read-costs: cost at most)")
    read_costs: bool = option(False, "The matrices are costs, smaller where segments are more alike")


def agglomerative_cluster(options: Options, scores: str, reco2utt: str, labels: str) -> None:
    clustering = replace(options, threshold=-options.threshold) if options.read_costs else options
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
                matrix = -matrix if options.read_costs else matrix
                found = clusters_of_scores(matrix, clustering, None if speakers is None else speakers[recording])
                for segment, label in zip(segments, found.tolist(), strict=True):
                    writer.write(segment, label)


main = command(agglomerative_cluster, usage=USAGE)

if __name__ == "__main__":
    main()

"""nnet-pytorch-logprob-to-post: twin of logprob-to-post."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.c_random import CRandom
from kaldi_bridge.command import command, option
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.hmm.posterior import of_log_probabilities
from kaldi_bridge.tables import SequentialReader, TableWriter
from kaldi_bridge.tables.holders import FLOAT_MATRIX, SPARSE_POSTERIOR

USAGE = """Turn matrices of log-probabilities into posteriors whose indexes are the columns (pdfs, from a network).
Usage: nnet-pytorch-logprob-to-post [options] <logprob-matrix-rspecifier> <posteriors-wspecifier>
e.g.: nnet-pytorch-compute final.raw scp:feats.scp ark:- | nnet-pytorch-logprob-to-post ark:- ark:1.post"""


@dataclass
class Options:
    """Options of logprob-to-post."""

    min_post: float = option(
        0.01, "Minimum posterior we will output (smaller ones are pruned). Also see --random-prune"
    )
    random_prune: bool = option(True, "If true, prune posteriors with a randomized method that preserves expectations")


def logprob_to_post(options: Options, matrices_rspecifier: str, wspecifier: str) -> int:
    if not options.min_post >= 0:
        raise KaldiError(f"--min-post={options.min_post:g} must not be negative")
    random = CRandom(1) if options.random_prune else None
    done = 0
    with (
        SequentialReader(matrices_rspecifier, FLOAT_MATRIX) as reader,
        TableWriter(wspecifier, SPARSE_POSTERIOR) as writer,
    ):
        for utterance, matrix in reader:
            writer.write(utterance, of_log_probabilities(matrix, options.min_post, random))
            done += 1
    log.info(f"Converted {done} log-prob matrices to posteriors.")
    return 0 if done else 1


main = command(logprob_to_post, usage=USAGE)

if __name__ == "__main__":
    main()

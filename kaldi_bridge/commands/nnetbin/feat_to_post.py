"""nnet-pytorch-feat-to-post: twin of feat-to-post."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command
from kaldi_bridge.hmm.posterior import of_matrix
from kaldi_bridge.tables import SequentialReader, TableWriter
from kaldi_bridge.tables.holders import FLOAT_MATRIX, SPARSE_POSTERIOR

USAGE = """Turn matrices into posteriors whose indexes are the columns.
Usage: nnet-pytorch-feat-to-post [options] <feats-rspecifier> <posteriors-wspecifier>
e.g.: nnet-pytorch-feat-to-post scp:feats.scp ark:feats.post"""


@dataclass
class Options:
    """No options of its own."""


def feat_to_post(options: Options, feats_rspecifier: str, wspecifier: str) -> int:
    done = 0
    with SequentialReader(feats_rspecifier, FLOAT_MATRIX) as reader, TableWriter(wspecifier, SPARSE_POSTERIOR) as out:
        for utterance, matrix in reader:
            out.write(utterance, of_matrix(matrix))
            done += 1
    log.info(f"Converted {done} alignments.")
    return 0 if done else 1


main = command(feat_to_post, usage=USAGE)

if __name__ == "__main__":
    main()

"""nnet-pytorch-post-to-smat: twin of post-to-smat."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.errors import KaldiError, within
from kaldi_bridge.hmm.posterior import to_sparse_matrix
from kaldi_bridge.tables import SequentialReader, TableWriter
from kaldi_bridge.tables.holders import GENERAL_MATRIX, SPARSE_POSTERIOR

USAGE = """Turn posteriors into sparse matrices with a column for each index: the same in another format.
Usage: nnet-pytorch-post-to-smat [options] <posteriors-rspecifier> <sparse-matrix-wspecifier>
e.g.: nnet-pytorch-post-to-smat --dim=1038 ark:1.post ark:1.smat"""


@dataclass
class Options:
    """Options of post-to-smat."""

    dim: int = option(-1, "Number of columns; indexes are expected to be >= 0 and < dim. This must be specified")


def post_to_smat(options: Options, posteriors: str, matrices: str) -> int:
    if options.dim <= 0:
        raise KaldiError("The --dim option must be specified.")
    done = 0
    with SequentialReader(posteriors, SPARSE_POSTERIOR) as reader, TableWriter(matrices, GENERAL_MATRIX) as writer:
        for key, posterior in reader:
            with within(f"utterance {key}"):
                writer.write(key, to_sparse_matrix(posterior, options.dim))
            done += 1
    log.info(f"Done converting {done} posteriors into sparse matrices.")
    return 0


main = command(post_to_smat, usage=USAGE)

if __name__ == "__main__":
    main()

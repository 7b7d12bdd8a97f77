"""nnet-pytorch-post-to-feats: twin of post-to-feats."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.errors import EntryError, KaldiError
from kaldi_bridge.hmm.posterior import to_matrix
from kaldi_bridge.io.matrix_files import write_matrix_file
from kaldi_bridge.io.streams import open_input
from kaldi_bridge.options import OutputOptions
from kaldi_bridge.tables import SequentialReader, TableWriter, is_rspecifier
from kaldi_bridge.tables.holders import FLOAT_MATRIX, SPARSE_POSTERIOR
from kaldi_bridge.tables.loop import TableLoop

USAGE = """Turn posteriors into matrices with a column for each index.
Usage: nnet-pytorch-post-to-feats [options] <post-rspecifier> <feats-wspecifier>
 or:   nnet-pytorch-post-to-feats [options] <post-rxfilename> <feats-wxfilename>
e.g.: nnet-pytorch-post-to-feats --post-dim=50 ark:post.ark ark:feats.ark"""


@dataclass
class Options(OutputOptions):
    """Options of post-to-feats."""

    post_dim: int = option(0, "Number of columns, more than the largest index")


def post_to_feats(options: Options, source: str, target: str) -> int:
    if options.post_dim <= 0:
        raise KaldiError("You have to set the dimensionality of posteriors with '--post-dim=D'")
    if not is_rspecifier(source):
        with open_input(source) as stream:
            posterior = SPARSE_POSTERIOR.read(stream)
        write_matrix_file(target, options.binary, to_matrix(posterior, options.post_dim))
        log.info(f"Wrote posteriors as feature-matrix to {target}")
        return 0
    loop = TableLoop()
    with SequentialReader(source, SPARSE_POSTERIOR) as reader, TableWriter(target, FLOAT_MATRIX) as writer:
        for utterance, posterior in reader:
            with loop.entry(utterance):
                if not len(posterior):
                    raise EntryError(f"Zero-length utterance: {utterance}")
                writer.write(utterance, to_matrix(posterior, options.post_dim))
    log.info(f"Done {loop.done} utts, errors on {loop.failed}")
    return 0 if loop.done else 255


main = command(post_to_feats, usage=USAGE)

if __name__ == "__main__":
    main()

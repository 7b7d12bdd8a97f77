"""nnet-pytorch-append-vector-to-feats: twin of append-vector-to-feats."""

from __future__ import annotations

from kaldi_bridge import log
from kaldi_bridge.command import command
from kaldi_bridge.errors import EntryError
from kaldi_bridge.features.combination import with_vector
from kaldi_bridge.io.matrix_files import read_matrix_file, read_vector_file, write_matrix_file
from kaldi_bridge.options import OutputOptions
from kaldi_bridge.tables import RandomAccessReader, SequentialReader, TableWriter, is_rspecifier
from kaldi_bridge.tables.holders import FLOAT_MATRIX, FLOAT_VECTOR
from kaldi_bridge.tables.loop import TableLoop

USAGE = """Append a vector to each frame of features.
Usage: nnet-pytorch-append-vector-to-feats <feats-rspecifier> <vector-rspecifier> <out-wspecifier>
or:    nnet-pytorch-append-vector-to-feats <feats-rxfilename> <vector-rxfilename> <out-wxfilename>
e.g.: nnet-pytorch-append-vector-to-feats scp:feats.scp scp:ivectors.scp ark:-"""


def append_vector_to_feats(options: OutputOptions, feats_in: str, vector_in: str, target: str) -> int:
    if not is_rspecifier(feats_in):
        feats = with_vector(read_matrix_file(feats_in), read_vector_file(vector_in))
        write_matrix_file(target, options.binary, feats)
        log.info(f"Wrote appended features to {target}")
        return 0
    loop = TableLoop()
    with (
        SequentialReader(feats_in, FLOAT_MATRIX) as reader,
        RandomAccessReader(vector_in, FLOAT_VECTOR) as vectors,
        TableWriter(target, FLOAT_MATRIX) as writer,
    ):
        for utterance, feats in reader:
            with loop.entry(utterance):
                if utterance not in vectors:
                    raise EntryError(f"Could not read vector for utterance {utterance}")
                writer.write(utterance, with_vector(feats, vectors[utterance]))
    log.info(f"Done {loop.done} utts, errors on {loop.failed}")
    return 0 if loop.done else 255


main = command(append_vector_to_feats, usage=USAGE)

if __name__ == "__main__":
    main()

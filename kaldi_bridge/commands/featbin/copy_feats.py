"""nnet-pytorch-copy-feats: twin of copy-feats."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.basic_io import read_header, write_header
from kaldi_bridge.io.compressed import CompressedMatrix
from kaldi_bridge.io.htk import read_htk
from kaldi_bridge.io.matrix_io import read_matrix, write_matrix
from kaldi_bridge.io.streams import open_input, open_output
from kaldi_bridge.tables import SequentialReader, TableWriter, is_rspecifier
from kaldi_bridge.tables.holders import COMPRESSED_MATRIX, FLOAT_MATRIX, INT32, SPHINX_MATRIX, Holder, HtkHolder

USAGE = """Copy features, possibly in another format.
Usage: nnet-pytorch-copy-feats [options] <feats-rspecifier> <feats-wspecifier>
or:    nnet-pytorch-copy-feats [options] <feats-rxfilename> <feats-wxfilename>
e.g.: nnet-pytorch-copy-feats ark:- ark,scp:foo.ark,foo.scp"""


@dataclass
class Options:
    """Options of copy-feats."""

    htk_in: bool = option(False, "The input is in HTK's format")
    sphinx_in: bool = option(False, "The input is in Sphinx's format, 13 big-endian numbers a frame (tables only)")
    binary: bool = option(True, "Binary output (single files only; archives have ark,t)")
    compress: bool = option(False, "Write compressed matrices (archives only)")
    compression_method: int = option(1, "With --compress: Kaldi's method, 1 to 7")
    write_num_frames: str = option("", "Wspecifier for each utterance's number of frames, e.g. ark,t:utt2num_frames")


def copy_feats(options: Options, source: str, target: str) -> int:
    if not is_rspecifier(source):
        return _copy_file(options, source, target)
    if options.compress and not 1 <= options.compression_method <= 7:
        raise KaldiError(f"--compression-method={options.compression_method}: must be 1 to 7")
    done = 0
    with ExitStack() as stack:
        reader = stack.enter_context(SequentialReader(source, _holder(options)))
        writer = stack.enter_context(TableWriter(target, COMPRESSED_MATRIX if options.compress else FLOAT_MATRIX))
        lengths = None
        if options.write_num_frames:
            lengths = stack.enter_context(TableWriter(options.write_num_frames, INT32))
        for utterance, feats in reader:
            value = CompressedMatrix.compress(feats, options.compression_method) if options.compress else feats
            writer.write(utterance, value)
            if lengths:
                lengths.write(utterance, len(feats))
            done += 1
    log.info(f"Copied {done} feature matrices.")
    return 0 if done else 1


def _holder(options: Options) -> Holder[np.ndarray]:
    if options.htk_in:
        return HtkHolder()
    return SPHINX_MATRIX if options.sphinx_in else FLOAT_MATRIX


def _copy_file(options: Options, source: str, target: str) -> int:
    if options.compress:
        raise KaldiError("--compress works on tables, not on single files")
    if options.write_num_frames:
        raise KaldiError("--write-num-frames option not supported when writing/reading single files.")
    if options.sphinx_in and not options.htk_in:
        raise KaldiError("For single files, sphinx input is not yet supported: --sphinx-in needs a table")
    with open_input(source) as stream:
        feats = read_htk(stream) if options.htk_in else read_matrix(stream, read_header(stream))
    with open_output(target) as out:
        write_header(out, options.binary)
        write_matrix(out, options.binary, feats)
    log.info(f"Copied features from {source} to {target}")
    return 0


main = command(copy_feats, usage=USAGE)

if __name__ == "__main__":
    main()

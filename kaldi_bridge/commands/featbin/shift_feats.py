"""nnet-pytorch-shift-feats: twin of shift-feats."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.errors import EntryError, KaldiError
from kaldi_bridge.features.combination import shifted
from kaldi_bridge.io.matrix_files import read_matrix_file, write_matrix_file
from kaldi_bridge.options import OutputOptions
from kaldi_bridge.tables import SequentialReader, TableWriter, is_rspecifier
from kaldi_bridge.tables.holders import FLOAT_MATRIX
from kaldi_bridge.tables.loop import TableLoop

USAGE = """Shift features in time; their number stays, the first or last frame is repeated.
Usage: nnet-pytorch-shift-feats [options] <feats-rspecifier> <feats-wspecifier>
or:    nnet-pytorch-shift-feats [options] <feats-rxfilename> <feats-wxfilename>
e.g.: nnet-pytorch-shift-feats --shift=-1 scp:feats.scp ark:-"""


@dataclass
class Options(OutputOptions):
    """Options of shift-feats."""

    shift: int = option(0, "Number of frames by which features come later")


def shift_feats(options: Options, source: str, target: str) -> int:
    if not is_rspecifier(source):
        feats = read_matrix_file(source)
        if not len(feats):
            raise KaldiError(f"{source}: Empty input matrix")
        write_matrix_file(target, options.binary, shifted(feats, options.shift))
        return 0
    loop = TableLoop()
    with SequentialReader(source, FLOAT_MATRIX) as reader, TableWriter(target, FLOAT_MATRIX) as writer:
        for utterance, feats in reader:
            with loop.entry(utterance):
                if not len(feats):
                    raise EntryError(f"Empty matrix for key {utterance}")
                writer.write(utterance, shifted(feats, options.shift))
    log.info(f"Shifted {loop.done} features by {options.shift} frames; {loop.failed} with errors.")
    return loop.status


main = command(shift_feats, usage=USAGE)

if __name__ == "__main__":
    main()

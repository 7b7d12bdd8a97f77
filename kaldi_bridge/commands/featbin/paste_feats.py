"""nnet-pytorch-paste-feats: twin of paste-feats."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.errors import EntryError
from kaldi_bridge.features.combination import pasted
from kaldi_bridge.io.matrix_files import read_matrix_file, write_matrix_file
from kaldi_bridge.options import OutputOptions
from kaldi_bridge.tables import is_rspecifier
from kaldi_bridge.tables.holders import FLOAT_MATRIX
from kaldi_bridge.tables.joined import combine_tables

USAGE = """Paste features of about the same lengths side by side, frame by frame.
Usage: nnet-pytorch-paste-feats <in-rspecifier1> <in-rspecifier2> [<in-rspecifier3> ...] <out-wspecifier>
or:    nnet-pytorch-paste-feats <in-rxfilename1> <in-rxfilename2> [<in-rxfilename3> ...] <out-wxfilename>
e.g.: nnet-pytorch-paste-feats ark:mfcc.ark ark:pitch.ark ark:out.ark"""


@dataclass
class Options(OutputOptions):
    """Options of paste-feats."""

    length_tolerance: int = option(0, "Utterances whose lengths differ by no more frames are cut to the shortest")


def paste_feats(options: Options, first: str, second: str, *more: str) -> int:
    if not more:
        log.error("Wrong number of arguments: expected two inputs or more, and an output")
        return 1
    *others, target = second, *more
    if is_rspecifier(first):
        return combine_tables(
            FLOAT_MATRIX,
            [first, *others],
            target,
            lambda utterance, parts: pasted(parts, options.length_tolerance, utterance),
        )
    try:
        feats = pasted([read_matrix_file(name) for name in (first, *others)], options.length_tolerance)
    except EntryError as error:
        log.warning(str(error))
        return 1
    write_matrix_file(target, options.binary, feats)
    log.info(f"Wrote appended features to {target}")
    return 0


main = command(paste_feats, usage=USAGE)

if __name__ == "__main__":
    main()

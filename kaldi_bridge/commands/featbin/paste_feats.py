"""nnet-pytorch-paste-feats: twin of paste-feats."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.errors import EntryError
from kaldi_bridge.features.combination import pasted
from kaldi_bridge.io.matrix_files import read_matrix_file, write_matrix_file
from kaldi_bridge.options import OutputOptions
from kaldi_bridge.tables import RandomAccessReader, SequentialReader, TableWriter, is_rspecifier
from kaldi_bridge.tables.holders import FLOAT_MATRIX
from kaldi_bridge.tables.loop import TableLoop

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
        return _paste_tables(first, others, target, options.length_tolerance)
    try:
        feats = pasted([read_matrix_file(name) for name in (first, *others)], options.length_tolerance)
    except EntryError as error:
        log.warning(str(error))
        return 1
    write_matrix_file(target, options.binary, feats)
    log.info(f"Wrote appended features to {target}")
    return 0


def _paste_tables(first: str, others: list[str], target: str, tolerance: int) -> int:
    loop = TableLoop()
    with ExitStack() as stack:
        writer = stack.enter_context(TableWriter(target, FLOAT_MATRIX))
        reader = stack.enter_context(SequentialReader(first, FLOAT_MATRIX))
        tables = [stack.enter_context(RandomAccessReader(name, FLOAT_MATRIX)) for name in others]
        for utterance, feats in reader:
            with loop.entry(utterance):
                parts = [feats]
                for name, table in zip(others, tables, strict=True):
                    if utterance not in table:
                        raise EntryError(f"Missing utt {utterance} from input {name}")
                    parts.append(table[utterance])
                writer.write(utterance, pasted(parts, tolerance, utterance))
    log.info(f"Done {loop.done} utts, errors on {loop.failed}")
    return 0 if loop.done else 255


main = command(paste_feats, usage=USAGE)

if __name__ == "__main__":
    main()

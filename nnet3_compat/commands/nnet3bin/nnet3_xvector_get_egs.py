"""nnet-pytorch-xvector-get-egs: twin of nnet3-xvector-get-egs."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.errors import EntryError
from kaldi_bridge.examples.frame_examples import EXAMPLE
from kaldi_bridge.examples.speaker_examples import read_ranges
from kaldi_bridge.tables import SequentialReader, TableWriter
from kaldi_bridge.tables.holders import FLOAT_MATRIX

USAGE = """Make examples for training networks of x-vectors: chunks of features, each with the number of its speaker.
Lines of the ranges file: <utterance> <archive, from 0 on> <ignored> <first frame> <number of frames> <speaker>
Usage: nnet-pytorch-xvector-get-egs [options] <ranges-filename> <features-rspecifier> <egs-0-out> [<egs-1-out> ...]
e.g.: nnet-pytorch-xvector-get-egs --num-pdfs=7 ranges.1 scp:feats.scp ark:egs_temp.1.ark ark:egs_temp.2.ark"""


@dataclass
class Options:
    """Options of nnet3-xvector-get-egs."""

    compress: bool = option(True, "Write the features of examples in compressed format")
    num_pdfs: int = option(-1, "Number of speakers")


def xvector_get_egs(options: Options, ranges: str, features_rspecifier: str, first: str, *more: str) -> int:
    chunks = read_ranges(ranges, 1 + len(more))
    done = failed = written = 0
    with ExitStack() as stack:
        writers = [stack.enter_context(TableWriter(wspecifier, EXAMPLE)) for wspecifier in (first, *more)]
        for utterance, feats in stack.enter_context(SequentialReader(features_rspecifier, FLOAT_MATRIX)):
            if utterance not in chunks:
                log.warning(
                    f"Could not create examples from utterance {utterance} because it has no entry in the ranges input "
                    "file."
                )
                failed += 1
                continue
            for chunk in chunks[utterance]:
                try:
                    example = chunk.example(feats, options.num_pdfs, options.compress)
                except EntryError as error:
                    log.warning(str(error))
                else:
                    writers[chunk.archive].write(chunk.key, example)
                    written += 1
            done += 1
    log.info(
        f"Finished generating examples, successfully processed {done} feature files, wrote {written} examples; "
        f"{failed} files had errors."
    )
    return 1 if not written or failed > done else 0


main = command(xvector_get_egs, usage=USAGE)

if __name__ == "__main__":
    main()

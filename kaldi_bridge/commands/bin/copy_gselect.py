"""nnet-pytorch-copy-gselect: twin of copy-gselect."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.tables import SequentialReader, TableWriter
from kaldi_bridge.tables.holders import INT32_VECTOR_VECTOR

USAGE = """Copy the Gaussians that were selected for frames, maybe fewer: the first ones, which are the best.
Usage: nnet-pytorch-copy-gselect [options] <gselect-rspecifier> <gselect-wspecifier>
e.g.: nnet-pytorch-copy-gselect --n=10 'ark:gunzip -c gselect.1.gz |' ark:-"""


@dataclass
class Options:
    """Options of copy-gselect."""

    n: int = option(0, "Number of Gaussians to keep per frame (if nonzero)")


def copy_gselect(options: Options, rspecifier: str, wspecifier: str) -> int:
    if options.n < 0:
        raise KaldiError(f"--n={options.n} must not be negative")
    done = 0
    with (
        SequentialReader(rspecifier, INT32_VECTOR_VECTOR) as reader,
        TableWriter(wspecifier, INT32_VECTOR_VECTOR) as writer,
    ):
        for utterance, selected in reader:
            writer.write(utterance, [frame[: options.n] for frame in selected] if options.n else selected)
            done += 1
    limit = f",  limiting sizes to {options.n}" if options.n else " "
    log.info(f"Copied {done} gselect objects{limit}")
    return 0 if done else 1


main = command(copy_gselect, usage=USAGE)

if __name__ == "__main__":
    main()

"""nnet-pytorch-fstcopy: twin of fstcopy."""

from __future__ import annotations

from kaldi_bridge import log
from kaldi_bridge.command import command
from kaldi_bridge.fsts.fst import FST
from kaldi_bridge.tables import SequentialReader, TableWriter

USAGE = """Copy tables of FSTs
Usage: nnet-pytorch-fstcopy <fst-rspecifier> <fst-wspecifier>
e.g.: nnet-pytorch-fstcopy ark:graphs.ark ark,t:-"""


def fstcopy(rspecifier: str, wspecifier: str) -> int:
    done = 0
    with SequentialReader(rspecifier, FST) as reader, TableWriter(wspecifier, FST) as writer:
        for key, fst in reader:
            writer.write(key, fst)
            done += 1
    log.info(f"Copied {done} FSTs.")
    return 0 if done else 1


main = command(fstcopy, usage=USAGE)

if __name__ == "__main__":
    main()

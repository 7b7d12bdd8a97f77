"""nnet-pytorch-lattice-reverse: twin of lattice-reverse."""

from __future__ import annotations

from kaldi_bridge import log
from kaldi_bridge.command import command
from kaldi_bridge.lattices.lattice import reversed_lattice
from kaldi_bridge.lattices.lattice_files import LATTICE
from kaldi_bridge.tables import SequentialReader, TableWriter

USAGE = """Write lattices with all their paths backwards, for language models of words from the last to the first.
Usage: nnet-pytorch-lattice-reverse [options] <lattice-rspecifier> <lattice-wspecifier>
e.g.: nnet-pytorch-lattice-reverse ark:forward.lats ark:backward.lats"""


def lattice_reverse(lattice_rspecifier: str, lattice_wspecifier: str) -> int:
    done = 0
    with SequentialReader(lattice_rspecifier, LATTICE) as lattices, TableWriter(lattice_wspecifier, LATTICE) as writer:
        for key, lattice in lattices:
            writer.write(key, reversed_lattice(lattice))
            done += 1
    log.info(f"Done reversing {done} lattices.")
    return 0 if done else 1


main = command(lattice_reverse, usage=USAGE)

if __name__ == "__main__":
    main()

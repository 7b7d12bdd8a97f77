"""nnet-pytorch-lattice-rmali: twin of lattice-rmali."""

from __future__ import annotations

from kaldi_bridge import log
from kaldi_bridge.command import command
from kaldi_bridge.lattices.lattice import without_alignments
from kaldi_bridge.lattices.lattice_files import COMPACT_LATTICE
from kaldi_bridge.tables import SequentialReader, TableWriter

USAGE = """Remove the transition-ids from lattices.
Usage: nnet-pytorch-lattice-rmali [options] <lattice-rspecifier> <lattice-wspecifier>
e.g.: nnet-pytorch-lattice-rmali ark:1.lats ark:words.lats"""


def lattice_rmali(lattice_rspecifier: str, lattice_wspecifier: str) -> int:
    done = 0
    with (
        SequentialReader(lattice_rspecifier, COMPACT_LATTICE) as lattices,
        TableWriter(lattice_wspecifier, COMPACT_LATTICE) as writer,
    ):
        for key, lattice in lattices:
            writer.write(key, without_alignments(lattice))
            done += 1
    log.info(f"Done removing alignments from {done} lattices.")
    return 0 if done else 1


main = command(lattice_rmali, usage=USAGE)

if __name__ == "__main__":
    main()

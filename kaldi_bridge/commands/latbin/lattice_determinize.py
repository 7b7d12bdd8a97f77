"""nnet-pytorch-lattice-determinize: twin of lattice-determinize."""

from __future__ import annotations

from kaldi_bridge.command import command
from kaldi_bridge.lattices.full_determinize_program import FullDeterminizeOptions, determinize_table_fully

USAGE = """Determinize lattices as a whole. It is better done within a beam: nnet-pytorch-lattice-determinize-pruned.
Usage: nnet-pytorch-lattice-determinize [options] <lattice-rspecifier> <lattice-wspecifier>
e.g.: nnet-pytorch-lattice-determinize --acoustic-scale=0.1 --beam=15.0 ark:1.lats ark:det.lats"""


def lattice_determinize(options: FullDeterminizeOptions, lattice_rspecifier: str, lattice_wspecifier: str) -> int:
    return determinize_table_fully(options, lattice_rspecifier, lattice_wspecifier, compact=True)


main = command(lattice_determinize, usage=USAGE)

if __name__ == "__main__":
    main()

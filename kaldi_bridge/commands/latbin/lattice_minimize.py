"""nnet-pytorch-lattice-minimize: twin of lattice-minimize."""

from __future__ import annotations

from kaldi_bridge.command import command
from kaldi_bridge.lattices.pushing_program import PushOptions, push_table

USAGE = """Push lattices and merge states with the same future; determinize them first.
Usage: nnet-pytorch-lattice-minimize [options] <lattice-rspecifier> <lattice-wspecifier>
e.g.: nnet-pytorch-lattice-minimize ark:1.lats ark:2.lats"""


def lattice_minimize(options: PushOptions, lattice_rspecifier: str, lattice_wspecifier: str) -> int:
    return push_table(options, lattice_rspecifier, lattice_wspecifier, minimize=True)


main = command(lattice_minimize, usage=USAGE)

if __name__ == "__main__":
    main()

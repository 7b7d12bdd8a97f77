"""nnet-pytorch-lattice-push: twin of lattice-push."""

from __future__ import annotations

from kaldi_bridge.command import command
from kaldi_bridge.lattices.pushing_program import PushOptions, push_table

USAGE = """Push transition-ids and costs of lattices as near to the start as they go; good before words are aligned.
Usage: nnet-pytorch-lattice-push [options] <lattice-rspecifier> <lattice-wspecifier>
e.g.: nnet-pytorch-lattice-push ark:1.lats ark:2.lats"""


def lattice_push(options: PushOptions, lattice_rspecifier: str, lattice_wspecifier: str) -> int:
    return push_table(options, lattice_rspecifier, lattice_wspecifier, minimize=False)


main = command(lattice_push, usage=USAGE)

if __name__ == "__main__":
    main()

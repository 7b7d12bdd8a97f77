"""nnet-pytorch-lattice-determinize-non-compact: twin of lattice-determinize-non-compact."""

from __future__ import annotations

from kaldi_bridge.command import command
from kaldi_bridge.lattices.full_determinize_program import FullDeterminizeOptions, determinize_table_fully

USAGE = """Determinize lattices as a whole; each arc keeps its transition-id with the acoustic cost that it had.
For lattices straight from the search, as denominators of discriminative training.
Usage: nnet-pytorch-lattice-determinize-non-compact [options] <lattice-rspecifier> <lattice-wspecifier>
e.g.: nnet-pytorch-lattice-determinize-non-compact --acoustic-scale=0.1 --beam=15.0 ark:1.lats ark:det.lats"""


def lattice_determinize_non_compact(
    options: FullDeterminizeOptions, lattice_rspecifier: str, lattice_wspecifier: str
) -> int:
    return determinize_table_fully(options, lattice_rspecifier, lattice_wspecifier, compact=False)


main = command(lattice_determinize_non_compact, usage=USAGE)

if __name__ == "__main__":
    main()

"""nnet-pytorch-lattice-determinize-pruned-parallel: twin of lattice-determinize-pruned-parallel."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge.command import command, option
from kaldi_bridge.lattices.determinization import WordDeterminizationOptions, determinize_words_of_each
from kaldi_bridge.lattices.determinize_program import ParallelOptions, determinize_table_in_threads

USAGE = """Determinize lattices as lattice-determinize-pruned does, with several threads.
Usage: nnet-pytorch-lattice-determinize-pruned-parallel [options] <lattice-rspecifier> <lattice-wspecifier>
e.g.: nnet-pytorch-lattice-determinize-pruned-parallel --num-threads=4 --acoustic-scale=0.1 ark:in.lats ark:det.lats"""


@dataclass
class Options(WordDeterminizationOptions, ParallelOptions):
    """Options of lattice-determinize-pruned-parallel."""

    minimize: bool = option(False, "If true, push and minimize after determinization")


def lattice_determinize_pruned_parallel(options: Options, lattice_rspecifier: str, lattice_wspecifier: str) -> int:
    return determinize_table_in_threads(
        lattice_rspecifier,
        lattice_wspecifier,
        options,
        lambda lattices: determinize_words_of_each(lattices, options.beam, options, options.minimize),
        "had warnings",
    )


main = command(lattice_determinize_pruned_parallel, usage=USAGE)

if __name__ == "__main__":
    main()

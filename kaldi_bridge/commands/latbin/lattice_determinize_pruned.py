"""nnet-pytorch-lattice-determinize-pruned: twin of lattice-determinize-pruned."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge.command import command, option
from kaldi_bridge.lattices.determinization import WordDeterminizationOptions, determinize_words_of_each
from kaldi_bridge.lattices.determinize_program import ProgramOptions, determinize_table

USAGE = """Determinize lattices, keeping for each word sequence its best path, within a beam of the best of all.
Usage: nnet-pytorch-lattice-determinize-pruned [options] <lattice-rspecifier> <lattice-wspecifier>
e.g.: nnet-pytorch-lattice-determinize-pruned --acoustic-scale=0.1 --beam=6.0 ark:in.lats ark:det.lats"""


@dataclass
class Options(WordDeterminizationOptions, ProgramOptions):
    """Options of lattice-determinize-pruned."""

    minimize: bool = option(False, "If true, push and minimize after determinization")


def lattice_determinize_pruned(options: Options, lattice_rspecifier: str, lattice_wspecifier: str) -> int:
    return determinize_table(
        lattice_rspecifier,
        lattice_wspecifier,
        options,
        lambda lattices: determinize_words_of_each(lattices, options.beam, options, options.minimize),
    )


main = command(lattice_determinize_pruned, usage=USAGE)

if __name__ == "__main__":
    main()

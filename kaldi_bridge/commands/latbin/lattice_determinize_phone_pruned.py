"""nnet-pytorch-lattice-determinize-phone-pruned: twin of lattice-determinize-phone-pruned."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge.command import command
from kaldi_bridge.hmm.transition_model import read_transition_model
from kaldi_bridge.lattices.determinization import DeterminizationOptions, determinize_each
from kaldi_bridge.lattices.determinize_program import ProgramOptions, determinize_table

USAGE = """Determinize lattices as the search does: over phones and words first, then over words alone.
Usage: nnet-pytorch-lattice-determinize-phone-pruned [options] <model> <lattice-rspecifier> <lattice-wspecifier>
e.g.: nnet-pytorch-lattice-determinize-phone-pruned --acoustic-scale=0.1 final.mdl ark:in.lats ark:det.lats"""


@dataclass
class Options(DeterminizationOptions, ProgramOptions):
    """Options of lattice-determinize-phone-pruned."""


def lattice_determinize_phone_pruned(
    options: Options, model_in: str, lattice_rspecifier: str, lattice_wspecifier: str
) -> int:
    starts = read_transition_model(model_in).phone_starts
    return determinize_table(
        lattice_rspecifier,
        lattice_wspecifier,
        options,
        lambda lattices: determinize_each(lattices, options.beam, options, starts),
    )


main = command(lattice_determinize_phone_pruned, usage=USAGE)

if __name__ == "__main__":
    main()

"""nnet-pytorch-lattice-determinize-phone-pruned-parallel: twin of lattice-determinize-phone-pruned-parallel."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge.command import command
from kaldi_bridge.hmm.transition_model import read_transition_model
from kaldi_bridge.lattices.determinization import DeterminizationOptions, determinize_each
from kaldi_bridge.lattices.determinize_program import ParallelOptions, determinize_table_in_threads

USAGE = """Determinize lattices as lattice-determinize-phone-pruned does, with several threads.
Usage: nnet-pytorch-lattice-determinize-phone-pruned-parallel [options] <model> <lattice-rspecifier> \\
    <lattice-wspecifier>
e.g.: nnet-pytorch-lattice-determinize-phone-pruned-parallel --num-threads=4 final.mdl ark:in.lats ark:det.lats"""


@dataclass
class Options(DeterminizationOptions, ParallelOptions):
    """Options of lattice-determinize-phone-pruned-parallel."""


def lattice_determinize_phone_pruned_parallel(
    options: Options, model_in: str, lattice_rspecifier: str, lattice_wspecifier: str
) -> int:
    starts = read_transition_model(model_in).phone_starts
    return determinize_table_in_threads(
        lattice_rspecifier,
        lattice_wspecifier,
        options,
        lambda lattices: determinize_each(lattices, options.beam, options, starts),
        "determinization finished earlier than specified by the beam",
    )


main = command(lattice_determinize_phone_pruned_parallel, usage=USAGE)

if __name__ == "__main__":
    main()

"""nnet-pytorch-lattice-lmrescore: twin of lattice-lmrescore."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge.command import command, without_effect
from kaldi_bridge.errors import within
from kaldi_bridge.fsts.fst import read_fst
from kaldi_bridge.lattices.lattice_files import LATTICE
from kaldi_bridge.lattices.rescoring import FstRescorer
from kaldi_bridge.lattices.rescoring_program import RescoreOptions, rescore_table

USAGE = """Add the costs of a language model, an FST, to the graph costs of lattices, then determinize them.
Usage: nnet-pytorch-lattice-lmrescore [options] <lattice-rspecifier> <lm-fst-in> <lattice-wspecifier>
e.g.: nnet-pytorch-lattice-lmrescore --lm-scale=-1.0 ark:in.lats \\
    'fstproject --project_output=true data/lang/G.fst |' ark:out.lats"""


@dataclass
class Options(RescoreOptions):
    """Options of lattice-lmrescore."""

    num_states_cache: int = without_effect(50000, "the FST is mapped to a lattice as a whole")


def lattice_lmrescore(options: Options, lattice_rspecifier: str, lm_fst_in: str, lattice_wspecifier: str) -> int:
    with within(lm_fst_in):
        rescorer = FstRescorer(read_fst(lm_fst_in))
    return rescore_table(lattice_rspecifier, LATTICE, lattice_wspecifier, options.lm_scale, rescorer.rescored)


main = command(lattice_lmrescore, usage=USAGE)

if __name__ == "__main__":
    main()

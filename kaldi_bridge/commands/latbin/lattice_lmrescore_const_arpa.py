"""nnet-pytorch-lattice-lmrescore-const-arpa: twin of lattice-lmrescore-const-arpa."""

from __future__ import annotations

from kaldi_bridge.command import command
from kaldi_bridge.lang.const_arpa import read_const_arpa
from kaldi_bridge.lattices.lattice_files import COMPACT_LATTICE
from kaldi_bridge.lattices.rescoring import ModelRescorer
from kaldi_bridge.lattices.rescoring_program import RescoreOptions, rescore_table

USAGE = """Add the costs of a language model in ConstArpaLm form to the graph costs of lattices, then determinize them.
Usage: nnet-pytorch-lattice-lmrescore-const-arpa [options] <lattice-rspecifier> <const-arpa-in> <lattice-wspecifier>
e.g.: nnet-pytorch-lattice-lmrescore-const-arpa --lm-scale=-1.0 ark:in.lats const_arpa ark:out.lats"""


def lattice_lmrescore_const_arpa(
    options: RescoreOptions, lattice_rspecifier: str, const_arpa_in: str, lattice_wspecifier: str
) -> int:
    rescorer = ModelRescorer(read_const_arpa(const_arpa_in))
    return rescore_table(lattice_rspecifier, COMPACT_LATTICE, lattice_wspecifier, options.lm_scale, rescorer.rescored)


main = command(lattice_lmrescore_const_arpa, usage=USAGE)

if __name__ == "__main__":
    main()

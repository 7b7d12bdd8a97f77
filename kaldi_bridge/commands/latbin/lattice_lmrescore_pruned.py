"""nnet-pytorch-lattice-lmrescore-pruned: twin of lattice-lmrescore-pruned."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.fsts.fst import read_fst
from kaldi_bridge.lang.const_arpa import read_const_arpa
from kaldi_bridge.lattices.rescoring import PrunedRescorer
from kaldi_bridge.lattices.rescoring_program import PrunedRescoreOptions, rescore_table_pruned

USAGE = """Take one language model's costs away from lattices and add another's, for the paths that are then the best.
Usage: nnet-pytorch-lattice-lmrescore-pruned [options] <lm-to-subtract> <lm-to-add> \\
    <lattice-rspecifier> <lattice-wspecifier>
e.g.: nnet-pytorch-lattice-lmrescore-pruned --acoustic-scale=0.1 \\
    data/lang/G.fst data/lang_fg/G.fst ark:in.lats ark:out.lats
or:   nnet-pytorch-lattice-lmrescore-pruned --acoustic-scale=0.1 --add-const-arpa=true \\
    data/lang/G.fst data/lang_fg/G.carpa ark:in.lats ark:out.lats
Models that are FSTs are projected on their output, so that disambiguation symbols need not be removed."""


@dataclass
class Options(PrunedRescoreOptions):
    """Options of lattice-lmrescore-pruned."""

    add_const_arpa: bool = option(False, "If true, <lm-to-add> is in ConstArpaLm form, if false an FST")


def lattice_lmrescore_pruned(
    options: Options, lm_to_subtract: str, lm_to_add: str, lattice_rspecifier: str, lattice_wspecifier: str
) -> int:
    log.info("Reading LMs...")
    new = read_const_arpa(lm_to_add) if options.add_const_arpa else read_fst(lm_to_add)
    rescorer = PrunedRescorer(read_fst(lm_to_subtract), new, options.lm_scale, options)
    log.info("Done.")
    return rescore_table_pruned(lattice_rspecifier, lattice_wspecifier, options.acoustic_scale, rescorer.rescored)


main = command(lattice_lmrescore_pruned, usage=USAGE)

if __name__ == "__main__":
    main()

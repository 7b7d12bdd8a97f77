"""nnet-pytorch-gmm-latgen-biglm-faster: twin of gmm-latgen-biglm-faster."""

from __future__ import annotations

from dataclasses import dataclass, replace

from kaldi_bridge.command import command, without_effect
from kaldi_bridge.features.front_end import FrontEndOptions
from kaldi_bridge.fsts.fst import read_fst
from kaldi_bridge.gmm.latgen import latgen
from kaldi_bridge.lattices.generation import LatticeOptions
from kaldi_bridge.lattices.rescored_graph import ModelChange

USAGE = """Generate lattices using a GMM-based model and another language model than that of the graph.
The costs of the old one, which is in the graph, are taken away and those of the new one added in decoding. Both are
FSTs of words that back off by epsilons.
Usage: nnet-pytorch-gmm-latgen-biglm-faster [options] <model-in> <fst-in|fsts-rspecifier> <old-lm-fst-in> \\
    <new-lm-fst-in> <features-rspecifier> <lattice-wspecifier> [<words-wspecifier> [<alignments-wspecifier>]]"""


@dataclass
class Options(LatticeOptions, FrontEndOptions):
    """Options of gmm-latgen-biglm-faster."""

    min_active: int = without_effect(200, "As in Kaldi, whose program has it among the options of gmm-latgen-faster")


def gmm_latgen_biglm_faster(
    options: Options,
    model_in: str,
    fst_in: str,
    old_lm_fst_in: str,
    new_lm_fst_in: str,
    features_rspecifier: str,
    lattice_wspecifier: str,
    words_wspecifier: str | None = None,
    alignments_wspecifier: str | None = None,
) -> int:
    change = ModelChange(read_fst(old_lm_fst_in), read_fst(new_lm_fst_in))
    search = replace(options, min_active=0)
    tables = (features_rspecifier, lattice_wspecifier, words_wspecifier, alignments_wspecifier)
    return latgen(search, search, model_in, fst_in, *tables, change=change)


main = command(gmm_latgen_biglm_faster, usage=USAGE)

if __name__ == "__main__":
    main()

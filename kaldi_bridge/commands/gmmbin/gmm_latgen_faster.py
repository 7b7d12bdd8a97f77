"""nnet-pytorch-gmm-latgen-faster: twin of gmm-latgen-faster."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge.command import command
from kaldi_bridge.features.front_end import FrontEndOptions
from kaldi_bridge.gmm.latgen import latgen
from kaldi_bridge.lattices.generation import LatticeOptions

USAGE = """Generate lattices using a GMM-based model.
Usage: nnet-pytorch-gmm-latgen-faster [options] <model-in> <fst-in|fsts-rspecifier> <features-rspecifier> \\
    <lattice-wspecifier> [<words-wspecifier> [<alignments-wspecifier>]]"""


@dataclass
class Options(LatticeOptions, FrontEndOptions):
    """Options of gmm-latgen-faster."""


def gmm_latgen_faster(
    options: Options,
    model_in: str,
    fst_in: str,
    features_rspecifier: str,
    lattice_wspecifier: str,
    words_wspecifier: str | None = None,
    alignments_wspecifier: str | None = None,
) -> int:
    tables = (features_rspecifier, lattice_wspecifier, words_wspecifier, alignments_wspecifier)
    return latgen(options, options, model_in, fst_in, *tables)


main = command(gmm_latgen_faster, usage=USAGE)

if __name__ == "__main__":
    main()

"""nnet-pytorch-gmm-latgen-faster-parallel: twin of gmm-latgen-faster-parallel."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge.command import command, without_effect
from kaldi_bridge.features.front_end import FrontEndOptions
from kaldi_bridge.gmm.latgen import latgen
from kaldi_bridge.lattices.generation import LatticeOptions
from kaldi_bridge.tables.threads import ThreadOptions

USAGE = """Generate lattices using a GMM-based model, searching with several threads.
Usage: nnet-pytorch-gmm-latgen-faster-parallel [options] <model-in> <fst-in|fsts-rspecifier> <features-rspecifier> \\
    <lattice-wspecifier> [<words-wspecifier> [<alignments-wspecifier>]]"""


@dataclass
class Options(ThreadOptions, LatticeOptions, FrontEndOptions):
    """Options of gmm-latgen-faster-parallel."""

    log_sum_exp_prune: float = without_effect(0.0, "Sums over Gaussians are exact with every value")


def gmm_latgen_faster_parallel(
    options: Options,
    model_in: str,
    fst_in: str,
    features_rspecifier: str,
    lattice_wspecifier: str,
    words_wspecifier: str | None = None,
    alignments_wspecifier: str | None = None,
) -> int:
    tables = (features_rspecifier, lattice_wspecifier, words_wspecifier, alignments_wspecifier)
    return latgen(options, options, model_in, fst_in, *tables, options.num_threads)


main = command(gmm_latgen_faster_parallel, usage=USAGE)

if __name__ == "__main__":
    main()

"""nnet-pytorch-gmm-decode-simple: twin of gmm-decode-simple.

By the search that makes lattices, without bounds on the number of tokens: its best path is Kaldi's.
"""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge.command import command, option
from kaldi_bridge.gmm.best_paths import GmmBestPathOptions, decode_best_paths
from kaldi_bridge.lattices.best_paths import best_path_of_lattice
from kaldi_bridge.lattices.decoder import SearchOptions

USAGE = """Decode with a GMM-based model; the best paths only.
Usage: nnet-pytorch-gmm-decode-simple [options] <model-in> <fst-in> <features-rspecifier> <words-wspecifier> \\
    [<alignments-wspecifier> [<lattices-wspecifier>]]
Lattices have one path; gmm-latgen-faster makes others."""


@dataclass
class Options(GmmBestPathOptions):
    """Options of gmm-decode-simple."""

    beam: float = option(16.0, "Decoding log-likelihood beam")


def gmm_decode_simple(
    options: Options,
    model_in: str,
    fst_in: str,
    features_rspecifier: str,
    words_wspecifier: str,
    alignments_wspecifier: str | None = None,
    lattices_wspecifier: str | None = None,
) -> int:
    search = SearchOptions(beam=options.beam, min_active=0)
    tables = (features_rspecifier, words_wspecifier, alignments_wspecifier, lattices_wspecifier)
    return decode_best_paths(best_path_of_lattice, search, options, model_in, fst_in, *tables)


main = command(gmm_decode_simple, usage=USAGE)

if __name__ == "__main__":
    main()

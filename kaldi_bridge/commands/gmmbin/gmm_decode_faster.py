"""nnet-pytorch-gmm-decode-faster: twin of gmm-decode-faster."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge.command import command
from kaldi_bridge.gmm.best_paths import GmmBestPathOptions, decode_best_paths
from kaldi_bridge.lattices.best_paths import FasterOptions

USAGE = """Decode with a GMM-based model; the best paths only.
Usage: nnet-pytorch-gmm-decode-faster [options] <model-in> <fst-in> <features-rspecifier> <words-wspecifier> \\
    [<alignments-wspecifier> [<lattices-wspecifier>]]
Lattices have one path; gmm-latgen-faster makes others."""


@dataclass
class Options(FasterOptions, GmmBestPathOptions):
    """Options of gmm-decode-faster."""


def gmm_decode_faster(
    options: Options,
    model_in: str,
    fst_in: str,
    features_rspecifier: str,
    words_wspecifier: str,
    alignments_wspecifier: str | None = None,
    lattices_wspecifier: str | None = None,
) -> int:
    find, search = options.search()
    tables = (features_rspecifier, words_wspecifier, alignments_wspecifier, lattices_wspecifier)
    return decode_best_paths(find, search, options, model_in, fst_in, *tables)


main = command(gmm_decode_faster, usage=USAGE)

if __name__ == "__main__":
    main()

"""nnet-pytorch-gmm-decode-faster: twin of gmm-decode-faster."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from kaldi_bridge.command import command, option
from kaldi_bridge.gmm.best_paths import BestPathOptions, decode_best_paths
from kaldi_bridge.lattices.decoder import MAX_INT, SearchOptions, TokenTable, best_path

USAGE = """Decode with a GMM-based model; the best paths only.
Usage: nnet-pytorch-gmm-decode-faster [options] <model-in> <fst-in> <features-rspecifier> <words-wspecifier> \\
    [<alignments-wspecifier> [<lattices-wspecifier>]]
Lattices have one path; gmm-latgen-faster makes others."""


@dataclass
class Options(BestPathOptions):
    """Options of gmm-decode-faster."""

    beam: float = option(16.0, "Decoding beam. Larger->slower, more accurate.")
    max_active: int = option(MAX_INT, "Decoder max active states. Larger->slower; more accurate")
    min_active: int = option(20, "Decoder min active states (don't prune if #active less than this).")
    beam_delta: float = option(0.5, "Increment of the beam where max-active or min-active set it")
    hash_ratio: float = option(2.0, "Buckets of the table of active states, for each of them; ties depend on it")


def gmm_decode_faster(
    options: Options,
    model_in: str,
    fst_in: str,
    features_rspecifier: str,
    words_wspecifier: str,
    alignments_wspecifier: str | None = None,
    lattices_wspecifier: str | None = None,
) -> int:
    search = SearchOptions(
        beam=options.beam,
        max_active=options.max_active,
        min_active=options.min_active,
        beam_delta=options.beam_delta,
    )
    table = TokenTable(ratio=options.hash_ratio)
    tables = (features_rspecifier, words_wspecifier, alignments_wspecifier, lattices_wspecifier)
    return decode_best_paths(partial(best_path, table=table), search, options, model_in, fst_in, *tables)


main = command(gmm_decode_faster, usage=USAGE)

if __name__ == "__main__":
    main()

"""nnet-pytorch-gmm-latgen-simple: twin of gmm-latgen-simple."""

from __future__ import annotations

from dataclasses import dataclass, fields

from kaldi_bridge.command import command, option
from kaldi_bridge.features.front_end import FrontEndOptions
from kaldi_bridge.gmm.latgen import latgen
from kaldi_bridge.lattices.determinization import DeterminizationOptions
from kaldi_bridge.lattices.generation import LatticeOptions

USAGE = """Generate lattices using a GMM-based model: no bound on how many states are active.
Usage: nnet-pytorch-gmm-latgen-simple [options] <model-in> <fst-in> <features-rspecifier> \\
    <lattice-wspecifier> [<words-wspecifier> [<alignments-wspecifier>]]"""


@dataclass
class Options(DeterminizationOptions, FrontEndOptions):
    """Options of gmm-latgen-simple."""

    beam: float = option(16.0, "Decoding beam.")
    lattice_beam: float = option(10.0, "Lattice generation beam")
    prune_interval: int = option(25, "Interval (in frames) at which to prune tokens")
    determinize_lattice: bool = option(True, "If true, determinize the lattice, keeping one path per word sequence")
    acoustic_scale: float = option(0.1, "Scaling factor for acoustic likelihoods")
    word_symbol_table: str = option("", "Symbol table for words: print the decoded words")
    allow_partial: bool = option(False, "If true, produce output even if end state was not reached.")


def gmm_latgen_simple(
    options: Options,
    model_in: str,
    fst_in: str,
    features_rspecifier: str,
    lattice_wspecifier: str,
    words_wspecifier: str | None = None,
    alignments_wspecifier: str | None = None,
) -> int:
    tables = (features_rspecifier, lattice_wspecifier, words_wspecifier, alignments_wspecifier)
    own = {field.name for field in fields(LatticeOptions)}
    search = LatticeOptions(**{name: value for name, value in vars(options).items() if name in own}, min_active=0)
    return latgen(search, options, model_in, fst_in, *tables)


main = command(gmm_latgen_simple, usage=USAGE)

if __name__ == "__main__":
    main()

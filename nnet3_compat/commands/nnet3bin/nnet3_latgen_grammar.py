"""nnet-pytorch-latgen-grammar: twin of nnet3-latgen-grammar."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge.command import command
from nnet3_compat.utterances.latgen import Options as LatgenOptions
from nnet3_compat.utterances.latgen import latgen

USAGE = """Generate lattices with a neural network and graphs that lead into one another (see make-grammar-fst).
Usage: nnet-pytorch-latgen-grammar [options] <model-in> <grammar-fst-in> <features-rspecifier> <lattice-wspecifier> \\
    [<words-wspecifier> [<alignments-wspecifier>]]"""


@dataclass
class Options(LatgenOptions):
    """Options of nnet3-latgen-grammar."""


def latgen_grammar(
    options: Options,
    model_in: str,
    grammar_fst_in: str,
    features_rspecifier: str,
    lattice_wspecifier: str,
    words_wspecifier: str | None = None,
    alignments_wspecifier: str | None = None,
) -> int:
    tables = (features_rspecifier, lattice_wspecifier, words_wspecifier, alignments_wspecifier)
    return latgen(options, "no", 1, model_in, grammar_fst_in, *tables)


main = command(latgen_grammar, usage=USAGE)

if __name__ == "__main__":
    main()

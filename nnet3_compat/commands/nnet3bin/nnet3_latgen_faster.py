"""nnet-pytorch-latgen-faster: twin of nnet3-latgen-faster."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge.command import command
from nnet3_compat.utterances.latgen import Options as LatgenOptions
from nnet3_compat.utterances.latgen import latgen

USAGE = """Generate lattices with a neural network.
Usage: nnet-pytorch-latgen-faster [options] <model-in> <fst-in|fsts-rspecifier> <features-rspecifier> \\
    <lattice-wspecifier> [<words-wspecifier> [<alignments-wspecifier>]]
The model is a .mdl: Kaldi's, or ours with a TorchScript archive inside."""


@dataclass
class Options(LatgenOptions):
    """Options of nnet3-latgen-faster."""


def latgen_faster(
    options: Options,
    model_in: str,
    fst_in: str,
    features_rspecifier: str,
    lattice_wspecifier: str,
    words_wspecifier: str | None = None,
    alignments_wspecifier: str | None = None,
) -> int:
    tables = (features_rspecifier, lattice_wspecifier, words_wspecifier, alignments_wspecifier)
    return latgen(options, "no", 1, model_in, fst_in, *tables)


main = command(latgen_faster, usage=USAGE)

if __name__ == "__main__":
    main()

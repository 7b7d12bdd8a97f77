"""nnet-pytorch-latgen-faster-looped: twin of nnet3-latgen-faster-looped."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge.command import command
from nnet3_compat.utterances.latgen import LatgenLoopedOptions, latgen_looped

USAGE = """Generate lattices with a neural network that computes each frame once and carries over what later chunks read
(not for networks that are recurrent backwards: they see the future of a chunk only as far as its right context).
Usage: nnet-pytorch-latgen-faster-looped [options] <model-in> <fst-in|fsts-rspecifier> <features-rspecifier> \\
    <lattice-wspecifier> [<words-wspecifier> [<alignments-wspecifier>]]
The model is a .mdl: Kaldi's, or ours with a TorchScript archive inside."""


@dataclass
class Options(LatgenLoopedOptions):
    """Options of nnet3-latgen-faster-looped."""


def latgen_faster_looped(
    options: Options,
    model_in: str,
    fst_in: str,
    features_rspecifier: str,
    lattice_wspecifier: str,
    words_wspecifier: str | None = None,
    alignments_wspecifier: str | None = None,
) -> int:
    tables = (features_rspecifier, lattice_wspecifier, words_wspecifier, alignments_wspecifier)
    return latgen_looped(options, model_in, fst_in, *tables)


main = command(latgen_faster_looped, usage=USAGE)

if __name__ == "__main__":
    main()

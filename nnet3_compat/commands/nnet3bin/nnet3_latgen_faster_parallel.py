"""nnet-pytorch-latgen-faster-parallel: twin of nnet3-latgen-faster-parallel."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge.command import command
from kaldi_bridge.tables.threads import ThreadOptions
from nnet3_compat.utterances.latgen import Options as LatgenOptions
from nnet3_compat.utterances.latgen import latgen

USAGE = """Generate lattices with a neural network, searching with several threads.
Usage: nnet-pytorch-latgen-faster-parallel [options] <model-in> <fst-in|fsts-rspecifier> <features-rspecifier> \\
    <lattice-wspecifier> [<words-wspecifier> [<alignments-wspecifier>]]
The model is a .mdl: Kaldi's, or ours with a TorchScript archive inside."""


@dataclass
class Options(ThreadOptions, LatgenOptions):
    """Options of nnet3-latgen-faster-parallel."""


def latgen_faster_parallel(
    options: Options,
    model_in: str,
    fst_in: str,
    features_rspecifier: str,
    lattice_wspecifier: str,
    words_wspecifier: str | None = None,
    alignments_wspecifier: str | None = None,
) -> int:
    tables = (features_rspecifier, lattice_wspecifier, words_wspecifier, alignments_wspecifier)
    return latgen(options, "no", options.num_threads, model_in, fst_in, *tables)


main = command(latgen_faster_parallel, usage=USAGE)

if __name__ == "__main__":
    main()

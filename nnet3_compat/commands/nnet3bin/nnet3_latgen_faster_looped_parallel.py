"""nnet-pytorch-latgen-faster-looped-parallel: twin of nnet3-latgen-faster-looped-parallel."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge.command import command, option, without_effect
from kaldi_bridge.tables.threads import ThreadOptions
from nnet3_compat.utterances.latgen import LatgenLoopedOptions, latgen_looped

USAGE = """Generate lattices as nnet3-latgen-faster-looped does, searching with several threads, while chunks of several
utterances are computed together. Needs no GPU, as Kaldi's program does.
Usage: nnet-pytorch-latgen-faster-looped-parallel [options] <model-in> <fst-in|fsts-rspecifier> \\
    <features-rspecifier> <lattice-wspecifier> [<words-wspecifier> [<alignments-wspecifier>]]
The model is a .mdl: Kaldi's, or ours with a TorchScript archive inside."""
TOGETHER = "Chunks are computed together as they come, as many as memory allows"


@dataclass
class Options(ThreadOptions, LatgenLoopedOptions):
    """Options of nnet3-latgen-faster-looped-parallel."""

    frames_per_chunk: int = option(20, "Frames (of input) of which the outputs are computed together")
    max_batch_size: int = without_effect(16, TOGETHER)
    compute_interval: int = without_effect(2000, TOGETHER)


def latgen_faster_looped_parallel(
    options: Options,
    model_in: str,
    fst_in: str,
    features_rspecifier: str,
    lattice_wspecifier: str,
    words_wspecifier: str | None = None,
    alignments_wspecifier: str | None = None,
) -> int:
    tables = (features_rspecifier, lattice_wspecifier, words_wspecifier, alignments_wspecifier)
    return latgen_looped(options, model_in, fst_in, *tables, num_threads=options.num_threads)


main = command(latgen_faster_looped_parallel, usage=USAGE)

if __name__ == "__main__":
    main()

"""nnet-pytorch-latgen-faster-batch: twin of nnet3-latgen-faster-batch."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge.command import command
from kaldi_bridge.tables.threads import ThreadOptions
from nnet3_compat.utterances.computation_options import BatchComputationOptions, DeviceOptions
from nnet3_compat.utterances.latgen import Options as LatgenOptions
from nnet3_compat.utterances.latgen import latgen

USAGE = """Generate lattices with a neural network, the network in batches and on a GPU where there is one.
Usage: nnet-pytorch-latgen-faster-batch [options] <model-in> <fst-in|fsts-rspecifier> <features-rspecifier> \\
    <lattice-wspecifier> [<words-wspecifier> [<alignments-wspecifier>]]
The model is a .mdl: Kaldi's, or ours with a TorchScript archive inside."""


@dataclass
class Options(ThreadOptions, BatchComputationOptions, DeviceOptions, LatgenOptions):
    """Options of nnet3-latgen-faster-batch."""


def latgen_faster_batch(
    options: Options,
    model_in: str,
    fst_in: str,
    features_rspecifier: str,
    lattice_wspecifier: str,
    words_wspecifier: str | None = None,
    alignments_wspecifier: str | None = None,
) -> int:
    from nnet3_compat.utterances.chunking import BatchChunks

    tables = (features_rspecifier, lattice_wspecifier, words_wspecifier, alignments_wspecifier)
    rule = BatchChunks(options.ensure_exact_final_context, options.minibatch_size)
    return latgen(options, options.use_gpu, options.num_threads, model_in, fst_in, *tables, rule)


main = command(latgen_faster_batch, usage=USAGE)

if __name__ == "__main__":
    main()

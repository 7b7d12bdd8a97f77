"""nnet-pytorch-compute-batch: twin of nnet3-compute-batch."""

from __future__ import annotations

import time
from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from nnet3_compat.model.priors import PriorOptions
from nnet3_compat.utterances.computation_options import (
    BatchComputationOptions,
    DeviceOptions,
    IvectorOptions,
    OptimizationOptions,
)

USAGE = """Compute the outputs of a neural network for features, chunks of many utterances at a time.
The chunks are those of nnet3-compute-batch: of one size, the last one ending where the utterance ends.

Usage:  nnet-pytorch-compute-batch [options] <nnet-in> <features-rspecifier> <matrix-wspecifier>
 e.g.:  nnet-pytorch-compute-batch final.raw scp:feats.scp ark:nnet_prediction.ark
"""


@dataclass
class Options(BatchComputationOptions, PriorOptions, IvectorOptions, DeviceOptions, OptimizationOptions):
    acoustic_scale: float = option(1.0, "Factor of the outputs after priors are subtracted")
    apply_exp: bool = option(False, "If true, write exp(output)")
    use_priors: bool = option(False, "If true, subtract the logs of the model's priors (needs a .mdl)")


def compute_batch(options: Options, nnet_in: str, features_rspecifier: str, matrix_wspecifier: str) -> int:
    start = time.time()
    from nnet3_compat.utterances.chunking import BatchChunks
    from nnet3_compat.utterances.compute_tables import Utterances, compute_tables
    from nnet3_compat.utterances.loading import load_computer

    rule = BatchChunks(options.ensure_exact_final_context, options.minibatch_size)
    computer = load_computer(nnet_in, options, options.use_gpu, options if options.use_priors else None, rule)
    utterances = Utterances(features_rspecifier, options)
    done = compute_tables(computer, utterances, matrix_wspecifier, options.apply_exp)
    log.info(f"Time taken {time.time() - start:g}s")
    log.info(f"Done {done} utterances, failed for {utterances.failed}")
    return 0 if done else 1


main = command(compute_batch, usage=USAGE)
if __name__ == "__main__":
    main()

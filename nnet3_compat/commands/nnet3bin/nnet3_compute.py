"""nnet-pytorch-compute: twin of nnet3-compute."""

from __future__ import annotations

import time
from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from nnet3_compat.model.priors import PriorOptions
from nnet3_compat.utterances.computation_options import (
    DeviceOptions,
    IvectorOptions,
    OptimizationOptions,
    SimpleComputationOptions,
)

USAGE = """Compute the outputs of a neural network for features: one matrix per utterance.
The network may be an nnet3 model (raw or .mdl) or a TorchScript archive; which, the file itself tells.

Usage:  nnet-pytorch-compute [options] <nnet-in> <features-rspecifier> <matrix-wspecifier>
 e.g.:  nnet-pytorch-compute final.raw scp:feats.scp ark:nnet_prediction.ark
"""


@dataclass
class Options(SimpleComputationOptions, PriorOptions, IvectorOptions, DeviceOptions, OptimizationOptions):
    acoustic_scale: float = option(1.0, "Factor of the outputs after priors are subtracted")
    apply_exp: bool = option(False, "If true, write exp(output)")
    use_priors: bool = option(False, "If true, subtract the logs of the model's priors (needs a .mdl)")


def compute(options: Options, nnet_in: str, features_rspecifier: str, matrix_wspecifier: str) -> int:
    start = time.time()
    from nnet3_compat.utterances.compute_tables import Utterances, compute_tables
    from nnet3_compat.utterances.loading import load_computer

    computer = load_computer(nnet_in, options, options.use_gpu, options if options.use_priors else None)
    utterances = Utterances(features_rspecifier, options)
    done = compute_tables(computer, utterances, matrix_wspecifier, options.apply_exp)
    log.info(log.time_taken(time.time() - start, utterances.frames))
    log.info(f"Done {done} utterances, failed for {utterances.failed}")
    return 0 if done else 1


main = command(compute, usage=USAGE)
if __name__ == "__main__":
    main()

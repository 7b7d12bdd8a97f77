"""nnet-pytorch-compute-prob: twin of nnet3-compute-prob."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge.command import command, option, without_effect
from kaldi_bridge.examples.frame_examples import EXAMPLE
from nnet3_compat.examples.programs import TestModeOptions, diagnose, read_in_test_mode
from nnet3_compat.utterances.computation_options import OptimizationOptions

USAGE = """Print the average objective per frame of a network on examples, as log messages.
Usage: nnet-pytorch-compute-prob [options] <raw-model-in> <training-examples-in>
e.g.: nnet-pytorch-compute-prob 0.raw ark:valid.egs"""


@dataclass
class Options(TestModeOptions, OptimizationOptions):
    """Options of nnet3-compute-prob."""

    collapse_model: bool = without_effect(True, "The result is the same, and torch is as fast without")
    compute_accuracy: bool = option(True, "Compute accuracies as well as objectives")
    compute_per_dim_accuracy: bool = option(False, "Compute accuracies of each output dimension")


def compute_prob(options: Options, nnet_in: str, examples_rspecifier: str) -> int:
    from nnet3_compat.evaluation.frame_objective import FrameDiagnostics

    nnet = read_in_test_mode(nnet_in, options)
    diagnostics = FrameDiagnostics(nnet, options.compute_accuracy, options.compute_per_dim_accuracy, train=True)
    return diagnose(diagnostics, EXAMPLE, examples_rspecifier)


main = command(compute_prob, usage=USAGE)

if __name__ == "__main__":
    main()

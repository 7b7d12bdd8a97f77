"""nnet-pytorch-compute-prob: twin of nnet3-compute-prob."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge.command import command, option
from kaldi_bridge.examples import EXAMPLE
from kaldi_bridge.tables import SequentialReader
from nnet3_compat.computation_options import OptimizationOptions
from nnet3_compat.model_file import read_nnet
from nnet3_compat.whole_network import set_test_mode

USAGE = """Print the average objective per frame of a network on examples, as log messages.
Usage: nnet-pytorch-compute-prob [options] <raw-model-in> <training-examples-in>
e.g.: nnet-pytorch-compute-prob 0.raw ark:valid.egs"""


@dataclass
class Options(OptimizationOptions):
    """Options of nnet3-compute-prob."""

    batchnorm_test_mode: bool = option(True, "Set test mode of batch-norm components")
    dropout_test_mode: bool = option(True, "Set test mode of dropout components")
    collapse_model: bool = option(True, "No effect: the result is the same, and torch is as fast without")
    compute_accuracy: bool = option(True, "Compute accuracies as well as objectives")
    compute_per_dim_accuracy: bool = option(False, "Compute accuracies of each output dimension")


def compute_prob(options: Options, nnet_in: str, examples_rspecifier: str) -> int:
    from nnet3_compat.frame_objective import FrameDiagnostics

    nnet = read_nnet(nnet_in)
    set_test_mode(nnet, batchnorm=options.batchnorm_test_mode or None, dropout=options.dropout_test_mode or None)
    diagnostics = FrameDiagnostics(nnet, options.compute_accuracy, options.compute_per_dim_accuracy, train=True)
    with SequentialReader(examples_rspecifier, EXAMPLE) as examples:
        for _, example in examples:
            diagnostics.add(example)
    return 0 if diagnostics.report() else 1


main = command(compute_prob, usage=USAGE)

if __name__ == "__main__":
    main()

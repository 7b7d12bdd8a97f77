"""nnet-pytorch-discriminative-compute-objf: twin of nnet3-discriminative-compute-objf."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge.command import command, without_effect
from kaldi_bridge.examples.discriminative_examples import DISCRIMINATIVE_EXAMPLE
from nnet3_compat.discriminative.options import AccumulationOptions
from nnet3_compat.examples.programs import TestModeOptions, diagnose
from nnet3_compat.model.model_file import read_model
from nnet3_compat.model.whole_network import set_test_mode
from nnet3_compat.utterances.computation_options import OptimizationOptions

USAGE = """Print the discriminative objective per frame of a network on examples, as log messages.
Usage: nnet-pytorch-discriminative-compute-objf [options] <nnet3-model-in> <training-examples-in>
e.g.: nnet-pytorch-discriminative-compute-objf --criterion=mmi 0.mdl ark:valid.degs"""


@dataclass
class Options(TestModeOptions, AccumulationOptions, OptimizationOptions):
    """Options of nnet3-discriminative-compute-objf."""

    compute_accuracy: bool = without_effect(True, "As in Kaldi: only the objective is computed")
    compute_per_dim_accuracy: bool = without_effect(False, "As in Kaldi: only the objective is computed")


def discriminative_compute_objf(options: Options, model_in: str, examples_rspecifier: str) -> int:
    from nnet3_compat.discriminative.objective import Discriminative
    from nnet3_compat.evaluation.discriminative_diagnostics import DiscriminativeDiagnostics

    model = read_model(model_in)
    set_test_mode(model.nnet, batchnorm=options.batchnorm_test_mode or None, dropout=options.dropout_test_mode or None)
    criterion = Discriminative(model.transition_model, options, model.priors)
    diagnostics = DiscriminativeDiagnostics(model.nnet, criterion, options, train=True)
    return diagnose(diagnostics, DISCRIMINATIVE_EXAMPLE, examples_rspecifier)


main = command(discriminative_compute_objf, usage=USAGE)

if __name__ == "__main__":
    main()

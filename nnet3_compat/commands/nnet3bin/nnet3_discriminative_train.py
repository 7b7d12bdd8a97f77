"""nnet-pytorch-discriminative-train: twin of nnet3-discriminative-train."""

from __future__ import annotations

from kaldi_bridge.command import command
from kaldi_bridge.examples.discriminative_examples import DISCRIMINATIVE_EXAMPLE
from kaldi_bridge.tables import SequentialReader
from nnet3_compat.model.model_file import read_model
from nnet3_compat.model.whole_network import set_test_mode
from nnet3_compat.training.options import DiscriminativeProgramOptions

USAGE = """Train a network with MMI, MPFE or sMBR on lattices, by stochastic gradient descent.
Each example is a minibatch, as nnet-pytorch-discriminative-merge-egs makes them.
Usage: nnet-pytorch-discriminative-train [options] <nnet-in> <discriminative-training-examples-in> <raw-nnet-out>
e.g.: nnet-pytorch-discriminative-train --silence-phones=1:2 1.mdl \\
 'ark:nnet-pytorch-discriminative-merge-egs ark:1.degs ark:- |' 2.raw"""


def discriminative_train(
    options: DiscriminativeProgramOptions, model_in: str, examples_rspecifier: str, nnet_out: str
) -> int:
    from nnet3_compat.discriminative.objective import Discriminative
    from nnet3_compat.training.discriminative import DiscriminativeTraining, train_discriminatively

    model = read_model(model_in)
    criterion = Discriminative(model.transition_model, options, model.priors)
    set_test_mode(model.nnet, dropout=options.dropout_test_mode or None)
    objective = DiscriminativeTraining(model.nnet, criterion, options.apply_deriv_weights)
    with SequentialReader(examples_rspecifier, DISCRIMINATIVE_EXAMPLE) as examples:
        return train_discriminatively(model.nnet, objective, examples, options, nnet_out)


main = command(discriminative_train, usage=USAGE)

if __name__ == "__main__":
    main()

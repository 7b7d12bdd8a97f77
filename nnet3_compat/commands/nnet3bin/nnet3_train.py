"""nnet-pytorch-train: twin of nnet3-train."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge.command import command
from kaldi_bridge.examples.frame_examples import EXAMPLE
from kaldi_bridge.tables import SequentialReader
from nnet3_compat.model.model_file import read_nnet
from nnet3_compat.training.options import ProgramOptions

USAGE = """Train a network by stochastic gradient descent, with a target for each frame (cross-entropy, say).
Each example is a minibatch, as nnet-pytorch-merge-egs makes them.
Usage: nnet-pytorch-train [options] <raw-model-in> <training-examples-in> <raw-model-out>
e.g.: nnet-pytorch-train 1.raw 'ark:nnet-pytorch-merge-egs 1.egs ark:- |' 2.raw"""


@dataclass
class Options(ProgramOptions):
    """Options of nnet3-train."""


def train(options: Options, nnet_in: str, examples_rspecifier: str, nnet_out: str) -> int:
    from nnet3_compat.training import program
    from nnet3_compat.training.objectives import FrameTraining

    nnet = read_nnet(nnet_in)
    with SequentialReader(examples_rspecifier, EXAMPLE) as examples:
        return program.train(nnet, FrameTraining(nnet), examples, options, nnet_out)


main = command(train, usage=USAGE)

if __name__ == "__main__":
    main()

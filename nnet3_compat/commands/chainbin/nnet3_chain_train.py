"""nnet-pytorch-train-chain, also called nnet-pytorch-chain-train: twin of nnet3-chain-train."""

from __future__ import annotations

from kaldi_bridge.command import command
from kaldi_bridge.examples.chain_examples import CHAIN_EXAMPLE
from kaldi_bridge.tables import SequentialReader
from nnet3_compat.chain.denominator_graph import DenominatorGraph
from nnet3_compat.model.model_file import read_nnet
from nnet3_compat.training.options import ChainProgramOptions

USAGE = """Train a network with LF-MMI, by stochastic gradient descent.
Each example is a minibatch, as nnet-pytorch-chain-merge-egs makes them.
Usage: nnet-pytorch-train-chain [options] <raw-model-in> <denominator-fst-in> <training-examples-in> <raw-model-out>
e.g.: nnet-pytorch-train-chain 1.raw den.fst 'ark:nnet-pytorch-chain-merge-egs 1.cegs ark:- |' 2.raw"""


def train_chain(
    options: ChainProgramOptions, nnet_in: str, den_fst_in: str, examples_rspecifier: str, nnet_out: str
) -> int:
    from nnet3_compat.training import program
    from nnet3_compat.training.objectives import ChainTraining

    nnet = read_nnet(nnet_in)
    graph = DenominatorGraph.read(den_fst_in, nnet.node_dim("output"))
    objective = ChainTraining(nnet, graph, options, options.apply_deriv_weights)
    with SequentialReader(examples_rspecifier, CHAIN_EXAMPLE) as examples:
        return program.train(nnet, objective, examples, options, nnet_out)


main = command(train_chain, usage=USAGE)

if __name__ == "__main__":
    main()

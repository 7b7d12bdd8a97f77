"""nnet-pytorch-chain-combine: twin of nnet3-chain-combine."""

from __future__ import annotations

from kaldi_bridge.command import command
from kaldi_bridge.examples.chain_examples import CHAIN_EXAMPLE
from nnet3_compat.chain.denominator_graph import DenominatorGraph
from nnet3_compat.examples.programs import read_all
from nnet3_compat.model.model_file import read_nnet
from nnet3_compat.training.options import ChainCombineOptions

USAGE = """Average the first n of some networks, latest first, for the n with the best chain objective on examples.
Usage: nnet-pytorch-chain-combine [options] <den-fst> <raw-nnet-in1> ... <chain-examples-in> <raw-nnet-out>
e.g.: nnet-pytorch-chain-combine den.fst 38.raw 37.raw 36.raw ark:valid.cegs final.raw"""


def chain_combine(
    options: ChainCombineOptions, den_fst_in: str, first: str, second: str, third: str, *more: str
) -> int:
    from nnet3_compat.training import program

    everything = [first, second, third, *more]
    models, examples_rspecifier, nnet_out = everything[:-2], everything[-2], everything[-1]
    graph = DenominatorGraph.read(den_fst_in, read_nnet(models[0]).node_dim("output"))
    examples = [example for _, example in read_all(CHAIN_EXAMPLE, examples_rspecifier)]
    return program.combine_chain(models, graph, examples, options, nnet_out)


main = command(chain_combine, usage=USAGE)

if __name__ == "__main__":
    main()

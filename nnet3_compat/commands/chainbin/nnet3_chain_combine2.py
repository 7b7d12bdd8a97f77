"""nnet-pytorch-chain-combine2: twin of nnet3-chain-combine2."""

from __future__ import annotations

from kaldi_bridge.command import command
from kaldi_bridge.examples.chain_examples import CHAIN_EXAMPLE
from kaldi_bridge.examples.languages import in_their_languages
from nnet3_compat.chain.language_graphs import LanguageGraphs
from nnet3_compat.examples.programs import read_all
from nnet3_compat.model.model_file import read_nnet
from nnet3_compat.training.options import ChainCombineOptions

USAGE = """Average the first n of some networks, latest first, for the n with the best chain objective on examples.
As nnet-pytorch-chain-combine, for networks of nnet-pytorch-chain-train2: <den-fst-dir> has NAME.den.fst for
each language.
Usage: nnet-pytorch-chain-combine2 [options] <den-fst-dir> <raw-nnet-in1> ... <chain-examples-in> <raw-nnet-out>
e.g.: nnet-pytorch-chain-combine2 den_fsts 38.raw 37.raw 36.raw ark:valid.cegs final.raw"""


def chain_combine2(
    options: ChainCombineOptions, den_fst_dir: str, first: str, second: str, third: str, *more: str
) -> int:
    from nnet3_compat.training import program

    everything = [first, second, third, *more]
    models, examples_rspecifier, nnet_out = everything[:-2], everything[-2], everything[-1]
    graphs = LanguageGraphs(den_fst_dir, read_nnet(models[0]))
    examples = [example for _, example in in_their_languages(read_all(CHAIN_EXAMPLE, examples_rspecifier))]
    return program.combine_chain(models, graphs, examples, options, nnet_out)


main = command(chain_combine2, usage=USAGE)

if __name__ == "__main__":
    main()

"""nnet-pytorch-chain-train2: twin of nnet3-chain-train2."""

from __future__ import annotations

from kaldi_bridge.command import command
from kaldi_bridge.examples.chain_examples import CHAIN_EXAMPLE
from kaldi_bridge.examples.languages import in_their_languages
from kaldi_bridge.tables import SequentialReader
from nnet3_compat.chain.language_graphs import LanguageGraphs
from nnet3_compat.model.model_file import read_nnet
from nnet3_compat.training.options import ChainProgramOptions

USAGE = """Train a network of one or several languages with LF-MMI, by stochastic gradient descent.
Each example is a minibatch, as nnet-pytorch-chain-merge-egs makes them. Those with keys like KEY?lang=NAME are for the
output "output-NAME" and the graph <den-fst-dir>/NAME.den.fst, other ones for the language "default".
Usage: nnet-pytorch-chain-train2 [options] <raw-model-in> <den-fst-dir> <training-examples-in> <raw-model-out>
e.g.: nnet-pytorch-chain-train2 1.raw den_fsts \
  'ark:nnet-pytorch-chain-merge-egs --multilingual-eg=true 1.cegs ark:- |' 2.raw"""


def chain_train2(
    options: ChainProgramOptions, nnet_in: str, den_fst_dir: str, examples_rspecifier: str, nnet_out: str
) -> int:
    from nnet3_compat.training import program
    from nnet3_compat.training.objectives import ChainTraining

    nnet = read_nnet(nnet_in)
    objective = ChainTraining(nnet, LanguageGraphs(den_fst_dir, nnet), options, options.apply_deriv_weights)
    with SequentialReader(examples_rspecifier, CHAIN_EXAMPLE) as examples:
        return program.train(nnet, objective, in_their_languages(examples), options, nnet_out)


main = command(chain_train2, usage=USAGE)

if __name__ == "__main__":
    main()

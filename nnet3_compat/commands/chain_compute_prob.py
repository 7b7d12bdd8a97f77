"""nnet-pytorch-chain-compute-prob: twin of nnet3-chain-compute-prob."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge.chain_examples import CHAIN_EXAMPLE
from kaldi_bridge.command import command, option
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.fst import read_fst
from kaldi_bridge.tables import SequentialReader
from nnet3_compat.chain.denominator_graph import DenominatorGraph
from nnet3_compat.chain.options import ChainOptions
from nnet3_compat.computation_options import OptimizationOptions
from nnet3_compat.model_file import read_nnet
from nnet3_compat.whole_network import set_test_mode

USAGE = """Print the average chain objective per frame of a network on examples, as log messages.
Usage: nnet-pytorch-chain-compute-prob [options] <raw-model-in> <denominator-fst> <training-examples-in>
e.g.: nnet-pytorch-chain-compute-prob 0.raw den.fst ark:valid.cegs"""


@dataclass
class Options(ChainOptions, OptimizationOptions):
    """Options of nnet3-chain-compute-prob."""

    batchnorm_test_mode: bool = option(True, "Set test mode of batch-norm components")
    dropout_test_mode: bool = option(True, "Set test mode of dropout components")
    compute_accuracy: bool = option(True, "No effect, as in Kaldi: only the objective is computed")
    compute_per_dim_accuracy: bool = option(False, "No effect, as in Kaldi: only the objective is computed")


def chain_compute_prob(options: Options, nnet_in: str, den_fst_in: str, examples_rspecifier: str) -> int:
    from nnet3_compat.chain.diagnostics import ChainDiagnostics

    nnet = read_nnet(nnet_in)
    set_test_mode(nnet, batchnorm=options.batchnorm_test_mode or None, dropout=options.dropout_test_mode or None)
    try:
        graph = DenominatorGraph.from_fst(read_fst(den_fst_in), nnet.node_dim("output"))
    except KaldiError as error:
        raise KaldiError(f"{den_fst_in}: {error}") from None
    diagnostics = ChainDiagnostics(nnet, graph, options, train=True)
    with SequentialReader(examples_rspecifier, CHAIN_EXAMPLE) as examples:
        for _, example in examples:
            diagnostics.add(example)
    return 0 if diagnostics.report() else 1


main = command(chain_compute_prob, usage=USAGE)

if __name__ == "__main__":
    main()

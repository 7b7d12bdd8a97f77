"""nnet-pytorch-chain-compute-prob: twin of nnet3-chain-compute-prob."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge.command import command, without_effect
from kaldi_bridge.examples.chain_examples import CHAIN_EXAMPLE
from nnet3_compat.chain.denominator_graph import DenominatorGraph
from nnet3_compat.chain.options import ChainOptions
from nnet3_compat.examples.programs import TestModeOptions, diagnose, read_in_test_mode
from nnet3_compat.utterances.computation_options import OptimizationOptions

USAGE = """Print the average chain objective per frame of a network on examples, as log messages.
Usage: nnet-pytorch-chain-compute-prob [options] <raw-model-in> <denominator-fst> <training-examples-in>
e.g.: nnet-pytorch-chain-compute-prob 0.raw den.fst ark:valid.cegs"""


@dataclass
class Options(TestModeOptions, ChainOptions, OptimizationOptions):
    """Options of nnet3-chain-compute-prob."""

    compute_accuracy: bool = without_effect(True, "As in Kaldi: only the objective is computed")
    compute_per_dim_accuracy: bool = without_effect(False, "As in Kaldi: only the objective is computed")


def chain_compute_prob(options: Options, nnet_in: str, den_fst_in: str, examples_rspecifier: str) -> int:
    from nnet3_compat.evaluation.chain_diagnostics import ChainDiagnostics

    nnet = read_in_test_mode(nnet_in, options)
    graph = DenominatorGraph.read(den_fst_in, nnet.node_dim("output"))
    diagnostics = ChainDiagnostics(nnet, graph, options, train=True)
    return diagnose(diagnostics, CHAIN_EXAMPLE, examples_rspecifier)


main = command(chain_compute_prob, usage=USAGE)

if __name__ == "__main__":
    main()

"""nnet-pytorch-chain-combine: twin of nnet3-chain-combine."""

from __future__ import annotations

from dataclasses import dataclass, replace

from kaldi_bridge import log
from kaldi_bridge.command import command
from kaldi_bridge.examples.chain_examples import CHAIN_EXAMPLE
from nnet3_compat.chain.denominator_graph import DenominatorGraph
from nnet3_compat.chain.options import ChainOptions
from nnet3_compat.examples.programs import CombineOptions, read_all
from nnet3_compat.model.model_file import read_nnet, write_model
from nnet3_compat.structure.nnet import Nnet
from nnet3_compat.utterances.computation_options import DeviceOptions

USAGE = """Average the first n of some networks, latest first, for the n with the best chain objective on examples.
Usage: nnet-pytorch-chain-combine [options] <den-fst> <raw-nnet-in1> ... <chain-examples-in> <raw-nnet-out>
e.g.: nnet-pytorch-chain-combine den.fst 38.raw 37.raw 36.raw ark:valid.cegs final.raw"""


@dataclass
class Options(CombineOptions, ChainOptions, DeviceOptions):
    """Options of nnet3-chain-combine."""


def chain_combine(options: Options, den_fst_in: str, first: str, second: str, third: str, *more: str) -> int:
    from nnet3_compat.evaluation.chain_diagnostics import ChainDiagnostics
    from nnet3_compat.machine.device import select_device
    from nnet3_compat.training.combination import combine, recompute_stats

    everything = [first, second, third, *more]
    models, examples_rspecifier, nnet_out = everything[:-2], everything[-2], everything[-1]
    nnet = read_nnet(models[0])
    graph = DenominatorGraph.read(den_fst_in, nnet.node_dim("output"))
    device = select_device(options.use_gpu)
    examples = read_all(CHAIN_EXAMPLE, examples_rspecifier)

    def evaluate(nnet: Nnet, chain: ChainOptions = options) -> ChainDiagnostics:
        return ChainDiagnostics(nnet, graph, chain, train=True, device=device)

    best = combine(models, examples, evaluate, options)
    # So that the statistics of that branch are computed too.
    xent = any(node.name.endswith("-xent") for node in nnet.nodes) and options.xent_regularize == 0.0
    chain = replace(options, xent_regularize=0.1) if xent else options
    write_model(nnet_out, recompute_stats(best, examples, lambda nnet: evaluate(nnet, chain)), options.binary)
    log.info(f"Finished combining neural nets, wrote model to {nnet_out}")
    return 0


main = command(chain_combine, usage=USAGE)

if __name__ == "__main__":
    main()

"""nnet-pytorch-am-init: twin of nnet3-am-init."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command
from kaldi_bridge.hmm.topology import Topology
from kaldi_bridge.hmm.transition_model import read_transition_model
from kaldi_bridge.hmm.tree import make_transition_model, read_tree
from kaldi_bridge.io.basic_io import read_header
from kaldi_bridge.io.streams import open_input
from kaldi_bridge.options import OutputOptions
from nnet3_compat.model.am_nnet import AmNnet
from nnet3_compat.model.model_file import read_nnet, write_model

USAGE = """Put a raw network and a transition model, or a tree and a topology, together into a .mdl.
Usage: nnet-pytorch-am-init [options] <tree-in> <topology-in> <raw-nnet-in> <model-out>
or:    nnet-pytorch-am-init [options] <transition-model-in> <raw-nnet-in> <model-out>
e.g.: nnet-pytorch-am-init tree topo 0.raw 0.mdl"""


@dataclass
class Options(OutputOptions):
    """Options of nnet3-am-init."""


def am_init(options: Options, first: str, second: str, third: str, fourth: str | None = None) -> int:
    if fourth is None:
        transition_model, nnet_in, model_out = read_transition_model(first), second, third
    else:
        tree = read_tree(first)
        with open_input(second) as stream:
            topology = Topology.read(stream, read_header(stream))
        transition_model, nnet_in, model_out = make_transition_model(tree, topology), third, fourth
    write_model(model_out, AmNnet(transition_model, read_nnet(nnet_in)), options.binary)
    log.info(f"Initialized am-nnet (neural net acoustic model) and wrote it to {model_out}")
    return 0


main = command(am_init, usage=USAGE)

if __name__ == "__main__":
    main()

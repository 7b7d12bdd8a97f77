"""nnet-pytorch-chain-get-supervision: twin of chain-get-supervision."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.examples.supervision import SUPERVISION
from kaldi_bridge.hmm.transition_model import read_transition_model
from kaldi_bridge.hmm.tree import read_tree
from kaldi_bridge.lattices.lattice_files import COMPACT_LATTICE
from kaldi_bridge.tables import SequentialReader, TableWriter
from kaldi_bridge.tables.holders import INT32_PAIR_VECTOR
from kaldi_bridge.tables.loop import TableLoop
from nnet3_compat.chain.phone_graph import PhoneGraph
from nnet3_compat.chain.phone_supervision import PhonesInTime, SupervisionOptions, make_supervision

USAGE = """Make the chain supervision of utterances, from phones with lengths (ali-to-phones --write-lengths=true)
or, with --lattice-input=true, from phone lattices (lattice-align-phones --replace-output-symbols=true).
Usage: nnet-pytorch-chain-get-supervision [options] <tree> <transition-model>
 [<phones-with-lengths-rspecifier>|<phone-lattice-rspecifier>] <supervision-wspecifier>
e.g.: nnet-pytorch-chain-get-supervision --frame-subsampling-factor=3 tree 0.trans_mdl ark:phones ark:-"""


@dataclass
class Options(SupervisionOptions):
    """Options of chain-get-supervision."""

    lattice_input: bool = option(False, "If true, expect phone lattices as input")


def chain_get_supervision(options: Options, tree_in: str, model_in: str, source_in: str, wspecifier: str) -> int:
    options.check()
    model = read_transition_model(model_in)
    graph = PhoneGraph(read_tree(tree_in), model, transition_scale=0.0, self_loop_scale=0.0)
    loop = TableLoop()
    holder: Any = COMPACT_LATTICE if options.lattice_input else INT32_PAIR_VECTOR
    in_time: Callable[..., PhonesInTime] = (
        PhonesInTime.of_lattice if options.lattice_input else PhonesInTime.of_alignment
    )
    with SequentialReader(source_in, holder) as sources, TableWriter(wspecifier, SUPERVISION) as writer:
        for key, source in sources:
            with loop.entry(key, f"Failed creating supervision for utterance {key}"):
                phones = in_time(source, options)
                writer.write(key, make_supervision(graph, model, phones, options.convert_to_pdfs))
    log.info(f"Generated chain supervision information for {loop.done} utterances, errors on {loop.failed}")
    return 0 if loop.done > loop.failed else 1


main = command(chain_get_supervision, usage=USAGE)

if __name__ == "__main__":
    main()

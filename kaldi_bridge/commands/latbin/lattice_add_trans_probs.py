"""nnet-pytorch-lattice-add-trans-probs: twin of lattice-add-trans-probs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.errors import within
from kaldi_bridge.graphs.transition_costs import transition_costs
from kaldi_bridge.hmm.transition_model import read_transition_model
from kaldi_bridge.lattices.costs import add_transition_costs
from kaldi_bridge.lattices.lattice import to_compact
from kaldi_bridge.lattices.lattice_files import COMPACT_LATTICE, LATTICE
from kaldi_bridge.tables import SequentialReader, TableWriter

USAGE = """Add the costs of transitions to the graph costs of lattices, scaled as when the graph was made.
Usage: nnet-pytorch-lattice-add-trans-probs [options] <model> <lattice-rspecifier> <lattice-wspecifier>
e.g.: nnet-pytorch-lattice-add-trans-probs --self-loop-scale=0.1 1.mdl ark:in.lats ark:out.lats"""


@dataclass
class Options:
    """Options of lattice-add-trans-probs."""

    transition_scale: float = option(1.0, "Scale for transition probabilities (excluding self-loops)")
    self_loop_scale: float = option(1.0, "Scale of the probabilities of staying in a state and of leaving it")


def lattice_add_trans_probs(options: Options, model: str, lattice_rspecifier: str, lattice_wspecifier: str) -> int:
    scales = np.float32(options.transition_scale), np.float32(options.self_loop_scale)
    costs = transition_costs(read_transition_model(model), *map(float, scales))
    done = 0
    with (
        SequentialReader(lattice_rspecifier, LATTICE) as lattices,
        TableWriter(lattice_wspecifier, COMPACT_LATTICE) as writer,
    ):
        for key, lattice in lattices:
            with within(f"lattice of {key}"):
                writer.write(key, to_compact(add_transition_costs(lattice, costs)))
            done += 1
    log.info(f"Done adding transition probabilities to {done} lattices.")
    return 0 if done else 1


main = command(lattice_add_trans_probs, usage=USAGE)

if __name__ == "__main__":
    main()

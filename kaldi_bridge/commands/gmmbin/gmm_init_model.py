"""nnet-pytorch-gmm-init-model: twin of gmm-init-model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.gmm.acoustic_model import AcousticModel
from kaldi_bridge.gmm.initial import of_old_model, of_tree_statistics
from kaldi_bridge.gmm.occupancy import write_occupancy
from kaldi_bridge.hmm.tree import make_transition_model, read_tree
from kaldi_bridge.options import OutputOptions
from kaldi_bridge.tree_building.files import read_statistics, read_topology

USAGE = """Initialize a GMM from a decision tree and tree statistics.
Usage: nnet-pytorch-gmm-init-model [options] <tree-in> <tree-stats-in> <topo-file> <model-out> [<old-tree> <old-model>]
e.g.: nnet-pytorch-gmm-init-model tree treeacc topo 1.mdl"""


@dataclass
class Options(OutputOptions):
    """Options of gmm-init-model."""

    write_occs: str = option("", "File to write state occupancies to.")
    var_floor: float = option(0.01, "Variance floor used while initializing Gaussians")


def gmm_init_model(
    options: Options, tree_in: str, statistics_in: str, topology_in: str, model_out: str, *old: str
) -> int:
    if len(old) not in (0, 2):
        log.error(f"Wrong number of arguments: {4 + len(old)}, not 4 or 6")
        return 1
    tree = read_tree(tree_in)
    statistics = read_statistics(statistics_in, tree.width)
    log.info(f"Number of separate statistics is {len(statistics)}")
    mixtures, counts = of_tree_statistics(tree, statistics, options.var_floor)
    if old:
        old_tree, old_model = read_tree(old[0]), AcousticModel.read(old[1])
        mixtures = of_old_model(tree, statistics, old_tree, old_model.mixtures, options.var_floor)
    if options.write_occs:
        write_occupancy(options.write_occs, counts.astype(np.float32), options.binary)
    AcousticModel(make_transition_model(tree, read_topology(topology_in)), mixtures).write(model_out, options.binary)
    log.info("Wrote model.")
    return 0


main = command(gmm_init_model, usage=USAGE)

if __name__ == "__main__":
    main()

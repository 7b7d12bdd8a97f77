"""nnet-pytorch-gmm-init-mono: twin of gmm-init-mono."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

from kaldi_bridge.command import command, option
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.features.front_end import FrontEndOptions, processed
from kaldi_bridge.features.moments import mean_and_variance
from kaldi_bridge.gmm.acoustic_model import AcousticModel
from kaldi_bridge.gmm.initial import all_alike
from kaldi_bridge.hmm.tree import make_transition_model
from kaldi_bridge.io.integer_sets import read_sets
from kaldi_bridge.io.text import is_number
from kaldi_bridge.options import OutputOptions
from kaldi_bridge.tree_building.files import read_topology, write_object
from kaldi_bridge.tree_building.flat_trees import monophone_tree

USAGE = """Initialize a monophone GMM.
Usage: nnet-pytorch-gmm-init-mono <topology-in> <dim> <model-out> <tree-out>
e.g.: nnet-pytorch-gmm-init-mono topo 39 mono.mdl mono.tree"""


@dataclass
class Options(FrontEndOptions, OutputOptions):
    """Options of gmm-init-mono."""

    train_feats: str = option("", "Rspecifier for training features [used to set mean and variance]")
    max_utterances: int = option(0, "With --train-feats: read no more than so many utterances (0: all)")
    shared_phones: str = option("", "File with, on each line, a list of phones whose pdfs should be shared.")
    perturb_factor: float = option(0.0, "Perturb the means using this fraction of standard deviation.")


def gmm_init_mono(options: Options, topology_in: str, dim: str, model_out: str, tree_out: str) -> None:
    topology = read_topology(topology_in)
    sets = read_sets(options.shared_phones) if options.shared_phones else [[phone] for phone in topology.phones]
    tree = monophone_tree(sets, topology)
    if not is_number(dim) or not 0 < int(dim) < 10000:
        raise KaldiError(f"{dim} is no dimension of features")
    mean, variance = np.ones(int(dim)), np.ones(int(dim))
    if options.train_feats:
        utterances = processed(options, options.train_feats)
        some = itertools.islice(utterances, options.max_utterances or None)
        mean, variance = mean_and_variance(some, options.train_feats)
        utterances.close()
        if len(mean) != int(dim):
            raise KaldiError(f"{options.train_feats}: features of dimension {len(mean)}, not {dim}")
    mixtures = all_alike(tree.num_pdfs, mean, variance)
    if options.perturb_factor:
        mixtures = mixtures.perturbed(options.perturb_factor)
    AcousticModel(make_transition_model(tree, topology), mixtures).write(model_out, options.binary)
    write_object(tree_out, tree, options.binary)


main = command(gmm_init_mono, usage=USAGE)

if __name__ == "__main__":
    main()

"""nnet-pytorch-gmm-init-model-flat: twin of gmm-init-model-flat."""

from __future__ import annotations

import contextlib
import itertools
from dataclasses import dataclass

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.features.front_end import FrontEndOptions, processed
from kaldi_bridge.features.moments import mean_and_variance
from kaldi_bridge.gmm.acoustic_model import AcousticModel
from kaldi_bridge.gmm.initial import all_alike
from kaldi_bridge.hmm.tree import make_transition_model, read_tree
from kaldi_bridge.options import OutputOptions
from kaldi_bridge.tree_building.files import read_topology

USAGE = """Initialize a GMM whose Gaussians are all alike, of the mean and variance of some features.
Usage: nnet-pytorch-gmm-init-model-flat [options] <tree-in> <topo-file> <model-out> [<features-rspecifier>]
e.g.: nnet-pytorch-gmm-init-model-flat tree topo 1.mdl scp:feats.scp"""


@dataclass
class Options(FrontEndOptions, OutputOptions):
    """Options of gmm-init-model-flat."""

    dim: int = option(40, "Dimension of the model, of mean 0 and variance 1, if no features are given.")
    max_utterances: int = option(0, "Read no more than so many utterances; 0: all")


def gmm_init_model_flat(
    options: Options, tree_in: str, topology_in: str, model_out: str, feats: str | None = None
) -> None:
    tree, topology = read_tree(tree_in), read_topology(topology_in)
    if feats is None:
        if options.dim <= 0:
            raise KaldiError(f"--dim={options.dim} is no dimension of features")
        mean, variance = np.zeros(options.dim), np.ones(options.dim)
    else:
        with contextlib.closing(processed(options, feats)) as utterances:
            mean, variance = mean_and_variance(itertools.islice(utterances, options.max_utterances or None), feats)
    mixtures = all_alike(tree.num_pdfs, mean, variance)
    AcousticModel(make_transition_model(tree, topology), mixtures).write(model_out, options.binary)
    log.info("Wrote model.")


main = command(gmm_init_model_flat, usage=USAGE)

if __name__ == "__main__":
    main()

"""nnet-pytorch-gmm-init-biphone: twin of gmm-init-biphone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.gmm.acoustic_model import AcousticModel
from kaldi_bridge.gmm.initial import all_alike
from kaldi_bridge.hmm.tree import make_transition_model
from kaldi_bridge.io.integer_sets import read_sets, split_integers
from kaldi_bridge.io.text import is_number
from kaldi_bridge.options import OutputOptions
from kaldi_bridge.tree_building.files import read_topology, write_object
from kaldi_bridge.tree_building.flat_trees import PhoneCounts, biphone_tree

USAGE = """Initialize a context-dependency tree with a leaf for each pair of phones, for flat-start chain models.
Usage: nnet-pytorch-gmm-init-biphone <topology-in> <dim> <model-out> <tree-out>
e.g.: nnet-pytorch-gmm-init-biphone topo 39 bi.mdl bi.tree"""


@dataclass
class Options(OutputOptions):
    """Options of gmm-init-biphone."""

    shared_phones: str = option("", "File with, on each line, a list of phones whose pdfs should be shared.")
    ci_phones: str = option("", "Colon-separated list of integer indices of context-independent phones.")
    phone_counts: str = option("", "File with, on each line, a biphone or phone and its count in the training data.")
    min_biphone_count: int = option(100, "Occurrences of a biphone below which it gets no pdfs of its own.")
    min_monophone_count: int = option(20, "Occurrences of a phone below which it gets no pdfs of its own.")


def gmm_init_biphone(options: Options, topology_in: str, dim: str, model_out: str, tree_out: str) -> None:
    topology = read_topology(topology_in)
    if not is_number(dim) or not 0 < int(dim) <= 10000:
        raise KaldiError(f"{dim} is no dimension of features")
    sets = read_sets(options.shared_phones) if options.shared_phones else [[phone] for phone in topology.phones]
    counts = None
    if options.phone_counts:
        counts = PhoneCounts.read(options.phone_counts, options.min_biphone_count, options.min_monophone_count)
    tree = biphone_tree(sets, topology, split_integers(options.ci_phones, "--ci-phones"), counts)
    log.info(f"Num PDFs: {tree.num_pdfs}")
    mixtures = all_alike(tree.num_pdfs, np.ones(int(dim)), np.ones(int(dim)))
    AcousticModel(make_transition_model(tree, topology), mixtures).write(model_out, options.binary)
    write_object(tree_out, tree, options.binary)


main = command(gmm_init_biphone, usage=USAGE)

if __name__ == "__main__":
    main()

"""Features and a GMM in, the best path through a graph out, without lattices (gmmbin/gmm-decode-faster.cc)."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge.features.front_end import FrontEndOptions, processed
from kaldi_bridge.fsts.fst import read_fst
from kaldi_bridge.gmm.acoustic_model import AcousticModel
from kaldi_bridge.lattices.best_paths import BestPathOptions, Search, write_best_paths
from kaldi_bridge.lattices.decoder import Graph, SearchOptions


@dataclass
class GmmBestPathOptions(BestPathOptions, FrontEndOptions):
    """What gmm-decode-faster and gmm-decode-simple have."""


def decode_best_paths(
    find: Search,
    search: SearchOptions,
    options: GmmBestPathOptions,
    model_in: str,
    graph_in: str,
    features_rspecifier: str,
    words_wspecifier: str,
    alignments_wspecifier: str | None,
    lattices_wspecifier: str | None,
) -> int:
    """Decodes every utterance, reports; returns the exit status. Lattices have the best path alone."""
    model = AcousticModel.read(model_in)
    graph = Graph(read_fst(graph_in), model.transitions, graph_in)
    tables = (words_wspecifier, alignments_wspecifier, lattices_wspecifier)
    utterances = processed(options, features_rspecifier)
    return write_best_paths(find, search, options, graph, model.mixtures.log_likelihoods, utterances, *tables)

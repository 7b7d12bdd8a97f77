"""Log-likelihoods of those pdfs only that a graph has."""

from __future__ import annotations

import numpy as np

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.fsts.fst import Fst
from kaldi_bridge.gmm.acoustic_model import AcousticModel
from kaldi_bridge.lattices.decoder import Graph


def graph_of_own_pdfs(model: AcousticModel, graph: Fst) -> tuple[Graph, np.ndarray]:
    """A graph to search with log-likelihoods of its pdfs alone, and which those are."""
    transitions = model.transitions
    labels = np.unique(graph.arcs["ilabel"])
    if len(labels) and not 0 <= labels[0] <= labels[-1] <= transitions.num_transition_ids:
        raise KaldiError(f"the graph has a label {labels[-1]}, the model only {transitions.num_transition_ids}")
    pdfs = np.unique(transitions.id_to_pdf[labels[labels > 0]])
    columns = np.zeros(model.mixtures.num_pdfs, np.int32)
    columns[pdfs] = np.arange(len(pdfs))
    return Graph(graph, transitions, columns=columns), pdfs


def scored(model: AcousticModel, graph: Fst, feats: np.ndarray) -> tuple[Graph, np.ndarray]:
    """A graph to search, and the log-likelihoods of its pdfs [frames, pdfs of the graph]."""
    own, pdfs = graph_of_own_pdfs(model, graph)
    return own, model.mixtures.log_likelihoods(feats, pdfs)

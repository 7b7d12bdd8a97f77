"""Alignment: the best way through an utterance's training graph (decoder/decoder-wrappers.cc, AlignUtterance)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.command import option
from kaldi_bridge.errors import EntryError, KaldiError
from kaldi_bridge.fsts.fst import Fst
from kaldi_bridge.gmm.acoustic_model import AcousticModel
from kaldi_bridge.graphs.transition_costs import transition_costs, with_costs
from kaldi_bridge.lattices.decoder import BestPath, Graph, SearchOptions, best_path


@dataclass
class AlignOptions:
    """Kaldi's AlignConfig, and the scales of gmm-align-compiled."""

    beam: float = option(200.0, "Decoding beam used in alignment")
    retry_beam: float = option(0.0, "Decoding beam for second try at alignment")
    careful: bool = option(False, "Not supported: only false")
    transition_scale: float = option(1.0, "Transition-probability scale [relative to acoustics]")
    acoustic_scale: float = option(1.0, "Scaling factor for acoustic likelihoods")
    self_loop_scale: float = option(1.0, "Scale of self-loop versus non-self-loop log probs [relative to acoustics]")

    def check(self) -> None:
        """Raises KaldiError for values with which no alignment is possible."""
        if not self.beam > 0 or (self.retry_beam != 0 and not self.retry_beam > self.beam):
            raise KaldiError(f"--beam={self.beam:g} must be positive, --retry-beam={self.retry_beam:g} 0 or larger")
        if not self.acoustic_scale > 0:
            raise KaldiError(f"--acoustic-scale={self.acoustic_scale:g} must be positive")
        if self.careful:
            raise KaldiError("--careful=true is not supported")


class Aligner:
    """Aligns utterances with a model; computes the likelihoods of those pdfs only that an utterance's graph has.

    ``retried``: utterances for which the first beam was too small.
    """

    def __init__(self, model: AcousticModel, options: AlignOptions) -> None:
        options.check()
        self._model, self._options = model, options
        self._costs = transition_costs(model.transitions, options.transition_scale, options.self_loop_scale)
        self.retried = 0

    def align(self, utterance: str, graph: Fst, feats: np.ndarray) -> BestPath:
        """Raises EntryError when there is no way through the graph, KaldiError when the model is another one's."""
        if graph.start < 0:
            raise EntryError(f"Empty decoding graph for {utterance}")
        searched, scores = scored(self._model, with_costs(graph, self._costs), feats)
        path = self._search(searched, scores, self._options.beam)
        if path is None and self._options.retry_beam:
            log.warning(f"Retrying utterance {utterance} with beam {self._options.retry_beam:g}")
            self.retried += 1
            path = self._search(searched, scores, self._options.retry_beam)
        if path is None:
            raise EntryError(f"Did not successfully decode file {utterance}, len = {len(feats)}")
        return path

    def _search(self, graph: Graph, scores: np.ndarray, beam: float) -> BestPath | None:
        # No lattice is wanted, so all but the best path to a state may go.
        options = SearchOptions(beam=beam, min_active=20, lattice_beam=1e-3)
        path = best_path(graph, scores, options, self._options.acoustic_scale)
        return path if path is not None and path.reached_final else None


def scored(model: AcousticModel, graph: Fst, feats: np.ndarray) -> tuple[Graph, np.ndarray]:
    """A graph to search, and the log-likelihoods of its pdfs [frames, pdfs of the graph]."""
    transitions = model.transitions
    labels = np.unique(graph.arcs["ilabel"])
    if len(labels) and not 0 <= labels[0] <= labels[-1] <= transitions.num_transition_ids:
        raise KaldiError(f"the graph has a label {labels[-1]}, the model only {transitions.num_transition_ids}")
    pdfs = np.unique(transitions.id_to_pdf[labels[labels > 0]])
    columns = np.zeros(model.mixtures.num_pdfs, np.int32)
    columns[pdfs] = np.arange(len(pdfs))
    return Graph(graph, transitions, columns=columns), model.mixtures.log_likelihoods(feats, pdfs)

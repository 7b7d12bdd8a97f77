"""Decoding with another language model than the graph was made with (decoder/lattice-biglm-faster-decoder.h).

    change = ModelChange(read_fst("old/G.fst"), read_fst("new/G.fst"))
    decode(change.of(graph), log_likelihoods, options, acoustic_scale)

As if lattices of unbounded beam were rescored: the new model is there while paths are chosen.
"""

from __future__ import annotations

from kaldi_bridge.extension import _csrc
from kaldi_bridge.fsts.fst import Fst
from kaldi_bridge.lattices.decoder import Graph
from kaldi_bridge.lattices.language_models import backoff_model


class ModelChange:
    """From the costs of one backoff model to those of another."""

    def __init__(self, old: Fst, new: Fst) -> None:
        self.native = _csrc.ModelChange(backoff_model(old), backoff_model(new))

    def of(self, graph: Graph) -> Graph:
        """The graph with the new model's costs."""
        return RescoredGraph(graph, self)

    @property
    def missing_word(self) -> int:
        """A word that came up and that a model does not have, so that its paths were left out; 0: there was none."""
        return int(self.native.missing_word)


class RescoredGraph(Graph):
    """A graph whose words cost what the new model says; as Graph otherwise."""

    def __init__(self, graph: Graph, change: ModelChange) -> None:
        self.phone_starts = graph.phone_starts
        self.column_of_id = graph.column_of_id
        self.native = _csrc.RescoredGraph(graph.native, change.native)

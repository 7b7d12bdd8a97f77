"""A folded network for whole pieces of utterances (what nnet3_compat.utterances.computation asks of a model)."""

from __future__ import annotations

import math
import threading
from typing import Any

import numpy as np

from kaldi_bridge.errors import KaldiError
from nnet3_compat.folded.network import FoldedNetwork, can_fold, new_state
from nnet3_compat.folded.outer_maps import with_outer_maps
from nnet3_compat.folded.precision import FLOAT32
from nnet3_compat.structure.context import compute_context, modulus
from nnet3_compat.structure.graph import Graph, build_graph
from nnet3_compat.structure.invariance import chunk_invariant
from nnet3_compat.structure.layouts import Layouts
from nnet3_compat.structure.nnet import Nnet
from nnet3_compat.structure.request import Request

MAX_PROGRAMS = 256  # that are kept


class FoldedModel:
    """``outputs = model(features, ivectors, left, num_outputs)``; the model is one of ``foldable``.

    Args:
        num_threads: of calls at a time, or, where there are fewer, for products that are large enough.
        precision: of these; see precision.py.
    """

    def __init__(
        self, nnet: Nnet, graph: Graph, frame_subsampling_factor: int, num_threads: int, precision: str
    ) -> None:
        if frame_subsampling_factor < 1:
            raise KaldiError("--frame-subsampling-factor and --frames-per-chunk must be > 0")
        self.on_cpu = self.any_thread = True
        self.frame_subsampling_factor, self.num_threads = frame_subsampling_factor, num_threads
        self.left_context, self.right_context = compute_context(nnet)
        self.modulus = modulus(nnet)
        dims = {name: graph.values[i].dim for name, i in graph.inputs.items()}
        nodes = {node.name: node.dim for node in nnet.nodes if hasattr(node, "dim")}
        self.input_dim: int = nodes["input"]
        self.ivector_dim: int = nodes.get("ivector", 0)
        self.output_dim = graph.values[graph.outputs["output"]].dim
        self._graph, self._reads_ivector = graph, "ivector" in dims
        self._network, self._layouts = FoldedNetwork(graph, nnet.components, precision), Layouts(graph)
        self._programs: dict[Request, Any] = {}
        self._lock, self._calls = threading.Lock(), 0

    def chunk_invariant(self, num_outputs: int) -> bool:
        """Also makes the layouts for pieces of any length at once, so that each utterance need not be planned."""
        factor = self.frame_subsampling_factor
        unit = math.lcm(factor, self.modulus) // factor
        if not chunk_invariant(self._graph, factor, self.left_context, self.right_context, num_outputs, unit):
            return False
        self._layouts.table(Request(num_outputs, self.left_context, self.right_context, factor))
        return True

    def __call__(self, features: np.ndarray, ivector: np.ndarray | None, left: int, num_outputs: int) -> np.ndarray:
        """[N, num_outputs, P] of features [N, T, D], the first frame ``left`` before the first output, and i-vectors
        [N, K]."""
        factor = self.frame_subsampling_factor
        right = features.shape[1] - left - 1 - (num_outputs - 1) * factor
        with self._lock:
            program = self._program(Request(num_outputs, left, right, factor))
            self._calls += 1
            num_threads = max(1, self.num_threads // self._calls)
        inputs = {"input": features}
        if ivector is not None:
            inputs["ivector"] = ivector[:, np.newaxis]
        given = [inputs[name] for name in self._network.input_names]
        try:
            made: np.ndarray = program.run(given, [new_state() for _ in features], num_threads)
        finally:
            with self._lock:
                self._calls -= 1
        return made

    def _program(self, request: Request) -> Any:
        if request not in self._programs:
            if len(self._programs) >= MAX_PROGRAMS:
                self._programs.pop(next(iter(self._programs)))
            self._programs[request] = self._network.program(self._layouts.layout(request))
        return self._programs[request]


def folded_model(
    nnet: Nnet, frame_subsampling_factor: int, num_threads: int, precision: str = FLOAT32
) -> FoldedModel | None:
    """None where torch has to compute the network. Raises KaldiError for networks that cannot be computed."""
    nnet = with_outer_maps(nnet)
    graph = build_graph(nnet)
    if not can_fold(graph, nnet.components):
        return None
    return FoldedModel(nnet, graph, frame_subsampling_factor, num_threads, precision)

"""A folded network that computes utterances chunk by chunk, each value once (see structure/segments.py)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from kaldi_bridge.errors import KaldiError
from nnet3_compat.folded.network import FoldedNetwork, can_fold, new_state
from nnet3_compat.folded.precision import FLOAT32
from nnet3_compat.model.ivector_period import with_ivector_period
from nnet3_compat.structure.context import compute_context, modulus
from nnet3_compat.structure.graph import Graph, build_graph
from nnet3_compat.structure.nnet import Nnet
from nnet3_compat.structure.segments import SegmentLayouts, SegmentRequest, plan_segments


@dataclass(frozen=True)
class LoopedPlan:
    """How a network is computed chunk by chunk, whatever computes it.

    Attributes:
        nnet: it takes an i-vector for each chunk.
        request: which frames each chunk has, and needs.
        input_dim, ivector_dim (0: none), output_dim.
    """

    nnet: Nnet
    graph: Graph
    request: SegmentRequest
    layouts: SegmentLayouts

    @classmethod
    def of(cls, nnet: Nnet, frames_per_chunk: int, factor: int, extra_left: int) -> LoopedPlan:
        """The plan of chunks of a network.

        Args:
            frames_per_chunk: of input; rounded up to what the network allows.
            factor: input frames per output frame.
            extra_left: frames before those that the first output needs, of the first chunk.
        Raises:
            KaldiError: there are not such chunks of this network.
        """
        left, right = compute_context(nnet)
        unit = math.lcm(factor, modulus(nnet))
        size = unit * -(-frames_per_chunk // unit)
        request = SegmentRequest(size, left + extra_left, right, factor)
        nnet = with_ivector_period(nnet, size)
        graph = build_graph(nnet)
        return cls(nnet, graph, request, plan_segments(graph, request))

    @property
    def input_dim(self) -> int:
        return self._dim("input")

    @property
    def ivector_dim(self) -> int:
        return self._dim("ivector")

    def _dim(self, name: str) -> int:
        return next((int(node.dim) for node in self.nnet.nodes if node.name == name and hasattr(node, "dim")), 0)

    @property
    def output_dim(self) -> int:
        return self.graph.values[self.graph.outputs["output"]].dim

    def kind(self, chunk: int) -> int:
        """Chunks with the same number here are computed in the same way."""
        return min(chunk, len(self.layouts.layouts) - 1)

    @property
    def can_fold(self) -> bool:
        """Whether a FoldedLoopedNetwork can be made."""
        return can_fold(self.graph, self.nnet.components)


class FoldedLoopedNetwork:
    """``outputs = looped(features, ivectors, chunk, carried)``, chunk after chunk.

    Any number of utterances may be computed together that are at chunks of one kind, and by any number of threads.

    Attributes:
        plan: one that ``can_fold``.

    Args:
        precision: of products; see precision.py.
    """

    def __init__(self, plan: LoopedPlan, precision: str = FLOAT32) -> None:
        self.plan = plan
        network = FoldedNetwork(plan.graph, plan.nnet.components, precision, repeated=["ivector"])
        self._takes = network.input_names
        before: list[int] = []
        self._programs = []
        for layout in plan.layouts.layouts:
            self._programs.append(network.program(layout.specs, before, layout.carried))
            before = [spec[0] for spec in layout.carried]

    def begin(self) -> Any:
        """What an utterance carries before its first chunk."""
        return new_state()

    def __call__(
        self, features: np.ndarray, ivectors: np.ndarray | None, chunk: int, carried: list[Any]
    ) -> tuple[np.ndarray, list[Any]]:
        """The outputs of a chunk, [N, request.num_outputs, output_dim], and what the next one is to be given.

        Args:
            features: [N, request.num_inputs(chunk), input_dim], from frame request.first_input(chunk) on.
            ivectors: [N, ivector_dim], for all frames of these that no earlier chunk had an i-vector for.
            carried: what the chunk before gave, of each utterance; it is changed.
        """
        inputs = {"input": features}
        if ivectors is not None:
            inputs["ivector"] = ivectors[:, np.newaxis]
        try:
            made = self._programs[self.plan.kind(chunk)].run([inputs[name] for name in self._takes], carried)
        except ValueError as error:
            raise KaldiError(f"chunk {chunk} cannot be computed: {error}") from None
        return made, carried

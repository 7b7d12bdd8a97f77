"""A network that computes utterances chunk by chunk, each value once (see structure/segments.py)."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from nnet3_compat.folded.looped import LoopedPlan
from nnet3_compat.network.inference import Inference, SegmentInference
from nnet3_compat.network.network import Network

Carried = dict[int, Tensor]
"""What is carried over from chunk to chunk: per value of the graph, [rows, N, dim]."""


class LoopedNetwork:
    """The torch version of folded.looped.FoldedLoopedNetwork, for any network.

    Raises:
        KaldiError: something in it cannot be run.
    """

    def __init__(self, plan: LoopedPlan) -> None:
        self.plan = plan
        network = Network.from_nnet(plan.nnet)
        self._input_names = network.executor().input_names
        inference = Inference(network.graph(), network.executor(), plan.layouts.carried_values())
        self._segments = [SegmentInference(inference, layout) for layout in plan.layouts.layouts]

    def begin(self) -> Carried:
        """What an utterance carries before its first chunk."""
        return {}

    def __call__(
        self, features: np.ndarray, ivectors: np.ndarray | None, chunk: int, carried: list[Carried]
    ) -> tuple[np.ndarray, list[Carried]]:
        """The outputs of a chunk, and what the next one is to be given; see FoldedLoopedNetwork."""
        every = carried[0]
        if carried[1:]:
            every = {i: torch.cat([each[i] for each in carried], dim=1) for i in carried[0]}
        given = None if ivectors is None else torch.from_numpy(ivectors)
        made, left = self.compute(torch.from_numpy(features), given, chunk, every)
        return made.numpy(), [{i: x[:, n : n + 1] for i, x in left.items()} for n in range(len(carried))]

    def compute(
        self, features: Tensor, ivectors: Tensor | None, chunk: int, carried: Carried
    ) -> tuple[Tensor, Carried]:
        """The same on tensors, where all N utterances' states are kept together."""
        inputs = {"input": features.transpose(0, 1).contiguous()}
        if ivectors is not None:
            rows = 1 if chunk else self.plan.request.ivectors_at_first
            inputs["ivector"] = ivectors.expand(rows, *ivectors.shape)
        with torch.inference_mode():
            given = [inputs[name] for name in self._input_names]
            (made,), carried = self._segments[self.plan.kind(chunk)](given, carried)
        return made.transpose(0, 1), carried

"""A network that computes utterances chunk by chunk, each value once (see structure/segments.py)."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from kaldi_bridge.errors import KaldiError
from nnet3_compat.model.ivector_period import with_ivector_period
from nnet3_compat.network.inference import Inference, SegmentInference
from nnet3_compat.network.network import Network
from nnet3_compat.structure.context import compute_context, modulus
from nnet3_compat.structure.nnet import Nnet
from nnet3_compat.structure.segments import SegmentRequest, plan_segments

Carried = dict[int, Tensor]
"""What is carried over from chunk to chunk: per value of the graph, [rows, N, dim]."""


class LoopedNetwork:
    """``outputs, carried = looped(features, ivector, chunk, carried)``, chunk after chunk; ``{}`` before the first one.

    Any number of utterances may be computed together that are at chunks of one ``kind``.

    Attributes:
        request: which frames each chunk has, and needs.
        input_dim, ivector_dim (0: none), output_dim.

    Args:
        frames_per_chunk: of input; rounded up to what the network allows.
        factor: input frames per output frame.
        extra_left: frames before those that the first output needs, of the first chunk.
    Raises:
        KaldiError: there are not such chunks of this network.
    """

    def __init__(self, nnet: Nnet, frames_per_chunk: int, factor: int, extra_left: int) -> None:
        left, right = compute_context(nnet)
        unit = math.lcm(factor, modulus(nnet))
        size = unit * -(-frames_per_chunk // unit)
        self.request = SegmentRequest(size, left + extra_left, right, factor)
        network = Network.from_nnet(with_ivector_period(nnet, size))
        self.input_dim, self.ivector_dim, self.output_dim = network.input_dim, network.ivector_dim, network.output_dim
        layouts = plan_segments(network.graph(), self.request)
        self._input_names = network.executor().input_names
        inference = Inference(network.graph(), network.executor(), layouts.carried_values())
        self._segments = [SegmentInference(inference, layout) for layout in layouts.layouts]

    def kind(self, chunk: int) -> int:
        """Chunks with the same number here are computed in the same way."""
        return min(chunk, len(self._segments) - 1)

    def __call__(
        self, features: Tensor, ivector: Tensor | None, chunk: int, carried: Carried
    ) -> tuple[Tensor, Carried]:
        """The outputs of a chunk, [N, request.num_outputs, output_dim], and what the next one is to be given.

        Args:
            features: [N, request.num_inputs(chunk), input_dim], from frame request.first_input(chunk) on.
            ivector: [N, ivector_dim], for all frames of these that no earlier chunk had an i-vector for.
        """
        expected = (self.request.num_inputs(chunk), self.input_dim)
        if features.shape[1:] != expected:
            raise KaldiError(f"a chunk of {tuple(features.shape[1:])} frames and dimensions in the place of {expected}")
        inputs = {"input": features.transpose(0, 1).contiguous()}
        if ivector is not None:
            rows = 1 if chunk else self.request.ivectors_at_first
            inputs["ivector"] = ivector.expand(rows, *ivector.shape)
        with torch.inference_mode():
            given = [inputs[name] for name in self._input_names]
            (made,), carried = self._segments[self.kind(chunk)](given, carried)
        return made.transpose(0, 1), carried

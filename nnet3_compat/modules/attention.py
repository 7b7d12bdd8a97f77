"""Self-attention over a limited number of frames (Kaldi: RestrictedAttentionComponent, nnet3/attention.h)."""

from __future__ import annotations

from typing import List  # noqa: UP035  (TorchScript)

import torch
from torch import Tensor

from nnet3_compat.components.attention import RestrictedAttentionComponent
from nnet3_compat.modules.base import ComponentModule, in_blocks, join_blocks, module_for


@module_for(RestrictedAttentionComponent)
class RestrictedAttention(ComponentModule[RestrictedAttentionComponent]):
    """Per head, the input is (key k, value v, query q, position bias p); taps o = 0, 1, ... are the context.

        c_o = softmax over o of (key_scale k_o . q + p_o),   y = (sum_o c_o v_o, and with output_context the c_o)

    A tap that is missing takes part with k = v = 0.
    """

    def __init__(self, component: RestrictedAttentionComponent) -> None:
        super().__init__(component)
        c = component
        self.num_heads: int = c.num_heads
        self.key_dim: int = c.key_dim
        self.value_dim: int = c.value_dim
        self.centre: int = c.num_left_inputs
        self.key_scale: float = c.key_scale
        self.output_context: bool = c.output_context

    def forward(self, taps: List[Tensor], valid: List[Tensor]) -> Tensor:  # noqa: UP006
        heads = [in_blocks(tap, self.num_heads) for tap in taps]  # [T, N, heads, D]
        first_query = self.key_dim + self.value_dim
        query = heads[self.centre][..., first_query : first_query + self.key_dim]
        bias = heads[self.centre][..., first_query + self.key_dim :]
        scores: List[Tensor] = []  # noqa: UP006
        for head in heads:
            scores.append((head[..., : self.key_dim] * query).sum(-1))
        c = torch.softmax(torch.stack(scores, dim=-1) * self.key_scale + bias, dim=-1)
        value = heads[0][..., self.key_dim : first_query] * c[..., :1]
        for o in range(1, len(heads)):
            value = value + heads[o][..., self.key_dim : first_query] * c[..., o : o + 1]
        if self.output_context:
            value = torch.cat([value, c], dim=-1)
        return join_blocks(value)

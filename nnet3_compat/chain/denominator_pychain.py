"""The denominator by PyChain (Shao et al., Interspeech 2020), where it is installed: its numbers are the same.

PyChain starts a sequence with the probabilities that leaky transitions lead to and lets it end in any state, as here,
when its graph has initial_mode="leaky" and final_mode="ones". It wants batches with the longest sequence first.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from nnet3_compat.chain.backends import pychain
from nnet3_compat.chain.denominator_graph import DenominatorGraph


class _GraphBatch:
    """The graph once for each sequence, with the attributes of PyChain's ChainGraphBatch."""

    log_domain = False

    def __init__(self, graph: DenominatorGraph, batch_size: int) -> None:
        def repeated(array: np.ndarray) -> Tensor:
            made = torch.from_numpy(array)
            return made.repeat(batch_size, *[1] * made.dim())

        self.batch_size, self.num_states = batch_size, graph.num_states
        self.leaky_probs = repeated(graph.initial)
        self.initial_probs = self.leaky_probs
        self.final_probs = torch.ones(batch_size, graph.num_states)
        self.start_state = torch.zeros(batch_size, dtype=torch.int64)  # not looked at: there are initial_probs
        arcs = np.stack([graph.source, graph.target, graph.pdf], 1).astype(np.int32)
        for direction, state in (("forward", graph.source), ("backward", graph.target)):
            order = np.argsort(state, kind="stable")
            ends = np.cumsum(np.bincount(state, minlength=graph.num_states))
            indices = np.stack([np.concatenate([[0], ends[:-1]]), ends], 1).astype(np.int32)
            setattr(self, f"{direction}_transitions", repeated(arcs[order]))
            setattr(self, f"{direction}_transition_indices", repeated(indices))
            setattr(self, f"{direction}_transition_probs", repeated(graph.probability[order]))


def denominator_pychain(
    graph: DenominatorGraph, output: Tensor, leaky_hmm_coefficient: float, lengths: Tensor
) -> tuple[Tensor, Tensor]:
    """As denominator(), for float32."""
    sequences = output.shape[1]
    made: Any = graph.prepared.get("pychain")
    if made is None or made.batch_size != sequences:
        made = graph.prepared["pychain"] = _GraphBatch(graph, sequences)
    order = torch.argsort(lengths, descending=True, stable=True)
    on_device = order.to(output.device)
    batch_first = output.detach().transpose(0, 1)[on_device].contiguous().requires_grad_()
    with torch.enable_grad():
        log_prob = pychain().ChainFunction.apply(batch_first, lengths[order], made, leaky_hmm_coefficient)
    (derivative,) = torch.autograd.grad(log_prob, batch_first)
    return log_prob.detach(), derivative[torch.argsort(on_device)].transpose(0, 1).contiguous()

"""The denominator of LF-MMI: forward-backward over all word sequences (chain/chain-denominator.cc).

``denominator_plain`` is the definition, in plain PyTorch; ``denominator`` the fastest version for its input.
In the probability domain: alphas are divided by their sum at every frame, and whatever state one is in, one may leak to
any other with probability ``leaky_hmm_coefficient`` times its initial probability.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from nnet3_compat.chain.denominator_graph import DenominatorGraph
from nnet3_compat.chain.extension import extension

LIMIT = 30.0  # outputs are clamped to it before the exponential


@dataclass
class _Arcs:
    source: Tensor
    target: Tensor
    pdf: Tensor
    probability: Tensor
    initial: Tensor

    @classmethod
    def of(cls, graph: DenominatorGraph, like: Tensor) -> _Arcs:
        def tensor(array) -> Tensor:  # type: ignore[no-untyped-def]
            made = torch.as_tensor(array, device=like.device)
            return made.to(like.dtype) if made.is_floating_point() else made

        return cls(*map(tensor, (graph.source, graph.target, graph.pdf, graph.probability, graph.initial)))


def denominator(graph: DenominatorGraph, output: Tensor, leaky_hmm_coefficient: float) -> tuple[Tensor, Tensor]:
    """``output``: [frames, sequences, pdfs], unnormalized log-probabilities.

    Returns the log-probability of each sequence [sequences], and its derivative with respect to the output: the
    posteriors of the pdfs [frames, sequences, pdfs]. In C++ for float32 on the CPU, on torch's number of threads.
    """
    native = _native(graph) if output.device.type == "cpu" and output.dtype == torch.float32 else None
    if native is None:
        return denominator_plain(graph, output, leaky_hmm_coefficient)
    likelihoods = output.clamp(-LIMIT, LIMIT).exp().numpy()
    log_probs, posteriors = native.forward_backward(likelihoods, leaky_hmm_coefficient, torch.get_num_threads())
    return torch.from_numpy(log_probs).float(), torch.from_numpy(posteriors)


def _native(graph: DenominatorGraph) -> Any:
    """The graph in C++, made once; None where the extension was not built."""
    made = extension()
    if graph.native is None and made is not None:
        arcs = (graph.source, graph.target, graph.pdf, graph.probability)
        graph.native = made.DenominatorGraph(*arcs, graph.initial, graph.num_pdfs)
    return graph.native


def denominator_plain(graph: DenominatorGraph, output: Tensor, leaky_hmm_coefficient: float) -> tuple[Tensor, Tensor]:
    """As ``denominator``, on any device and in any precision."""
    frames, sequences, _ = output.shape
    arcs = _Arcs.of(graph, output)
    probs = output.clamp(-LIMIT, LIMIT).exp()
    leak = leaky_hmm_coefficient * arcs.initial

    # alphas[t] is alpha-dash: with what has leaked. sums[t] is the sum of alpha, by which frame t + 1 is divided.
    alpha = arcs.initial.expand(sequences, -1)
    alphas: list[Tensor] = []
    sums: list[Tensor] = []
    for t in range(frames + 1):
        if t:
            flow = alphas[-1][:, arcs.source] * arcs.probability * probs[t - 1][:, arcs.pdf]
            alpha = torch.zeros_like(alphas[-1]).index_add(1, arcs.target, flow) / sums[-1]
        total = alpha.sum(1, keepdim=True)
        alphas.append(alpha + total * leak)
        sums.append(total)
    likelihood = alphas[-1].sum(1, keepdim=True)
    log_prob = likelihood.log().squeeze(1) + torch.cat(sums[:-1], 1).log().sum(1)

    posteriors = torch.zeros_like(output)
    beta = (1.0 / likelihood).expand_as(alphas[-1])
    for t in reversed(range(frames)):
        beta = beta + (beta * leak).sum(1, keepdim=True)  # from beta-dash of frame t + 1 to its beta
        step = beta[:, arcs.target] * arcs.probability * probs[t][:, arcs.pdf] / sums[t]
        posteriors[t].index_add_(1, arcs.pdf, alphas[t][:, arcs.source] * step)
        beta = torch.zeros_like(beta).index_add(1, arcs.source, step)
    return log_prob, posteriors

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

from kaldi_bridge.errors import KaldiError
from nnet3_compat.chain.backends import choose
from nnet3_compat.chain.denominator_graph import DenominatorGraph
from nnet3_compat.chain.extension import extension
from nnet3_compat.chain.options import LIMIT


def denominator(
    graph: DenominatorGraph,
    output: Tensor,
    leaky_hmm_coefficient: float,
    lengths: Tensor | None = None,
    backend: str = "auto",
) -> tuple[Tensor, Tensor]:
    """``output``: [frames, sequences, pdfs], unnormalized log-probabilities; ``lengths``: int64 [sequences], the frames
    of each, all of them by default.

    Returns the log-probability of all sequences together, and its derivative with respect to the output: the
    posteriors of the pdfs [frames, sequences, pdfs], zero beyond a sequence's length.
    Raises KaldiError for lengths that do not fit, a coefficient that is not between 0 and 1, and a ``backend`` (see
    backends.py) that cannot be had.
    """
    if choose(backend, output) == "pychain":
        from nnet3_compat.chain.denominator_pychain import denominator_pychain

        return denominator_pychain(
            graph, output, leaky_hmm_coefficient, _checked(lengths, output, leaky_hmm_coefficient)
        )
    log_probs, posteriors = denominator_of_each(graph, output, leaky_hmm_coefficient, lengths, backend)
    return log_probs.sum(), posteriors


def denominator_of_each(
    graph: DenominatorGraph,
    output: Tensor,
    leaky_hmm_coefficient: float,
    lengths: Tensor | None = None,
    backend: str = "auto",
) -> tuple[Tensor, Tensor]:
    """As ``denominator``, but the log-probability of each sequence, [sequences]; which PyChain does not tell."""
    lengths = _checked(lengths, output, leaky_hmm_coefficient)
    chosen = choose(backend, output)
    if chosen == "native":
        return denominator_native(graph, output, leaky_hmm_coefficient, lengths)
    if chosen == "triton":
        from nnet3_compat.chain.denominator_triton import denominator_triton

        with torch.cuda.device_of(output):
            return denominator_triton(graph, output, leaky_hmm_coefficient, lengths)
    if chosen == "pychain":
        raise KaldiError("PyChain does not tell the log-probability of each sequence: take another backend")
    return denominator_plain(graph, output, leaky_hmm_coefficient, lengths)


def _checked(lengths: Tensor | None, output: Tensor, leaky_hmm_coefficient: float) -> Tensor:
    frames, sequences, _ = output.shape
    if lengths is None:
        lengths = torch.full((sequences,), frames, dtype=torch.int64)
    lengths = lengths.to("cpu", torch.int64)
    if lengths.shape != (sequences,) or lengths.min() < 1 or lengths.max() > frames:
        raise KaldiError(f"lengths {lengths.tolist()} do not fit {sequences} sequences of at most {frames} frames")
    if not 0.0 < leaky_hmm_coefficient < 1.0:
        raise KaldiError(f"the leaky-HMM coefficient must be between 0 and 1, not {leaky_hmm_coefficient:g}")
    return lengths


def denominator_native(
    graph: DenominatorGraph, output: Tensor, leaky_hmm_coefficient: float, lengths: Tensor
) -> tuple[Tensor, Tensor]:
    """As denominator_of_each, in C++, for float32 on the CPU, on torch's number of threads."""
    if "native" not in graph.prepared:
        arcs = (graph.source, graph.target, graph.pdf, graph.probability)
        graph.prepared["native"] = extension().DenominatorGraph(*arcs, graph.initial, graph.num_pdfs)
    likelihoods = output.clamp(-LIMIT, LIMIT).exp().numpy()
    log_probs, posteriors = graph.prepared["native"].forward_backward(
        likelihoods, lengths.numpy(), leaky_hmm_coefficient, torch.get_num_threads()
    )
    return torch.from_numpy(log_probs).to(output.dtype), torch.from_numpy(posteriors)


@dataclass
class _Arcs:
    source: Tensor
    target: Tensor
    pdf: Tensor
    probability: Tensor
    initial: Tensor

    @classmethod
    def of(cls, graph: DenominatorGraph, like: Tensor) -> _Arcs:
        def tensor(array: Any) -> Tensor:
            made = torch.as_tensor(array, device=like.device)
            return made.to(like.dtype) if made.is_floating_point() else made

        return cls(*map(tensor, (graph.source, graph.target, graph.pdf, graph.probability, graph.initial)))


def denominator_plain(
    graph: DenominatorGraph, output: Tensor, leaky_hmm_coefficient: float, lengths: Tensor
) -> tuple[Tensor, Tensor]:
    """As denominator_of_each, on any device and in any precision."""
    frames, sequences, _ = output.shape
    arcs = _Arcs.of(graph, output)
    probs = output.clamp(-LIMIT, LIMIT).exp()
    leak = leaky_hmm_coefficient * arcs.initial
    inside = torch.arange(frames).unsqueeze(1) < lengths  # [frames, sequences]
    inside = inside.to(output.device).unsqueeze(2)

    # alphas[t] is alpha-dash: with what has leaked. sums[t] is the sum of alpha, by which frame t + 1 is divided.
    # Beyond a sequence's length its last alpha stays.
    alpha = arcs.initial.expand(sequences, -1)
    alphas: list[Tensor] = []
    sums: list[Tensor] = []
    for t in range(frames + 1):
        if t:
            flow = alphas[-1][:, arcs.source] * arcs.probability * probs[t - 1][:, arcs.pdf]
            alpha = torch.zeros_like(alphas[-1]).index_add(1, arcs.target, flow) / sums[-1]
        total = alpha.sum(1, keepdim=True)
        alpha = alpha + total * leak
        alphas.append(torch.where(inside[t - 1], alpha, alphas[-1]) if t else alpha)
        sums.append(total)
    likelihood = alphas[-1].sum(1, keepdim=True)
    scales = torch.stack(sums[:-1]).log()
    log_probs = likelihood.log().squeeze(1) + torch.where(inside, scales, torch.zeros_like(scales)).sum((0, 2))

    posteriors = torch.zeros_like(output)
    beta_dash = (1.0 / likelihood).expand_as(alphas[-1])
    for t in reversed(range(frames)):
        beta = beta_dash + (beta_dash * leak).sum(1, keepdim=True)
        step = beta[:, arcs.target] * arcs.probability * probs[t][:, arcs.pdf] / sums[t]
        step = torch.where(inside[t], step, torch.zeros_like(step))
        posteriors[t].index_add_(1, arcs.pdf, alphas[t][:, arcs.source] * step)
        beta = torch.zeros_like(beta).index_add(1, arcs.source, step)
        beta_dash = torch.where(inside[t], beta, beta_dash)
    return log_probs, posteriors

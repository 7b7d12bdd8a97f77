"""Energies of sequences, made of a model's outputs: p(x) ~ exp(-E(x)).

A classifier's outputs f(x) are unnormalized log-probabilities of data and labels together, so that summing over the
labels leaves the density of the data (W. Grathwohl et al., "Your classifier is secretly an energy based model and you
should treat it like one", ICLR 2020). Labels are pdfs of frames, or paths through the denominator graph of LF-MMI.

All take outputs [sequences, frames, pdfs] and give energies [sequences], sums over frames.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from nnet3_compat.chain.denominator import denominator_of_each
from nnet3_compat.chain.denominator_graph import DenominatorGraph
from nnet3_compat.chain.options import LIMIT

OutputEnergy = Callable[[Tensor], Tensor]


def frame_energy(output: Tensor) -> Tensor:
    """Minus the log of the sum over pdfs, of each frame on its own."""
    return -output.float().logsumexp(-1).sum(1)


class SequenceEnergy:
    """Minus the log-probability of all paths through the denominator graph."""

    def __init__(self, graph: DenominatorGraph, leaky_hmm_coefficient: float) -> None:
        self.graph, self.leaky_hmm_coefficient = graph, leaky_hmm_coefficient

    def __call__(self, output: Tensor) -> Tensor:
        made = _DenominatorLogProb.apply(output.float().transpose(0, 1), self.graph, self.leaky_hmm_coefficient)
        return -made


class _DenominatorLogProb(torch.autograd.Function):
    """[frames, sequences, pdfs] -> [sequences]."""

    @staticmethod
    def forward(ctx: Any, output: Tensor, graph: DenominatorGraph, leaky_hmm_coefficient: float) -> Tensor:
        log_probs, posteriors = denominator_of_each(graph, output.contiguous(), leaky_hmm_coefficient)
        ctx.save_for_backward(posteriors)
        return log_probs

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        (posteriors,) = ctx.saved_tensors
        return posteriors * gradient.view(1, -1, 1), None, None


class TargetEnergy:
    """Of data together with given pdfs [sequences, frames]: minus their outputs."""

    def __init__(self, pdfs: Tensor) -> None:
        self.pdfs = pdfs

    def __call__(self, output: Tensor) -> Tensor:
        return self.of_frames(output).sum(1)

    def of_frames(self, output: Tensor) -> Tensor:
        """[sequences, frames]; nothing is gained by outputs above 30, to which the denominator limits them."""
        limited = output.float().clamp(max=LIMIT)
        return -limited.gather(2, self.pdfs.unsqueeze(2)).squeeze(2)

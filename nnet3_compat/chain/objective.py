"""Kaldi's chain objective and its derivative (chain/chain-training.cc)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from kaldi_bridge import log
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.supervision import Supervision
from nnet3_compat.chain.denominator import LIMIT, denominator
from nnet3_compat.chain.denominator_graph import DenominatorGraph
from nnet3_compat.chain.numerator import numerator
from nnet3_compat.chain.options import ChainOptions

FAILED_OBJECTIVE = -10.0  # per frame, where the computation failed


@dataclass
class ChainObjective:
    """The objective of one minibatch, not divided by the number of frames.

    Attributes:
        objective: numerator minus denominator log-probability, times the supervision's weight.
        l2_term: -0.5 * l2_regularize * |output|^2, times the weight.
        weight: frames times the weight, to divide by.
        derivative: of objective + l2_term with respect to the output, and the penalty for outputs beyond +-30.
        numerator_posteriors: shaped like the output; the cross-entropy output's targets.
        ok: False where infinities or NaNs made the minibatch useless: derivatives are then zero.
    """

    objective: Tensor
    l2_term: Tensor
    weight: float
    derivative: Tensor
    numerator_posteriors: Tensor
    ok: bool


def chain_objective(
    graph: DenominatorGraph, supervision: Supervision, output: Tensor, options: ChainOptions
) -> ChainObjective:
    """``output``: [frames * sequences, pdfs], all sequences of the first frame, then of the second, as Kaldi has them.

    Raises KaldiError when shapes do not fit.
    """
    frames, sequences = supervision.frames_per_sequence, supervision.num_sequences
    if tuple(output.shape) != (frames * sequences, graph.num_pdfs) or supervision.label_dim != graph.num_pdfs:
        raise KaldiError(
            f"the network's output is {tuple(output.shape)}, but the supervision has {frames} frames of {sequences} "
            f"sequences and {supervision.label_dim} pdfs, the denominator graph {graph.num_pdfs}"
        )
    shaped = output.detach().view(frames, sequences, graph.num_pdfs)
    den_log_prob, den_posteriors = denominator(graph, shaped, options.leaky_hmm_coefficient)
    num_log_prob, num_posteriors = numerator(supervision, shaped)
    scale, weight = supervision.weight, supervision.weight * frames * sequences
    objective = scale * (num_log_prob - den_log_prob.sum())
    derivative = num_posteriors - den_posteriors
    if scale != 1.0:
        derivative, num_posteriors = scale * derivative, scale * num_posteriors
    low, high = torch.aminmax(shaped)
    if options.out_of_range_regularize and not (low >= -LIMIT and high <= LIMIT):
        # Kaldi adds twice this penalty to every other minibatch.
        derivative -= options.out_of_range_regularize * (shaped - shaped.clamp(-LIMIT, LIMIT))
    ok = bool(torch.isfinite(objective)) and bool(torch.isfinite(derivative).all())
    if not ok:
        log.warning(
            f"Objective function is {objective.item():g}, "
            f"setting it to {FAILED_OBJECTIVE:g} per frame and derivatives to zero"
        )
        objective = torch.full_like(objective, FAILED_OBJECTIVE * weight)
        derivative, num_posteriors = torch.zeros_like(shaped), torch.zeros_like(shaped)
    l2_term = objective.new_zeros(())
    if options.l2_regularize:
        l2_term = -0.5 * scale * options.l2_regularize * shaped.square().sum()
    if options.l2_regularize and ok:
        derivative -= scale * options.l2_regularize * shaped
    return ChainObjective(objective, l2_term, weight, derivative.view_as(output), num_posteriors.view_as(output), ok)


class _Function(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, output: Tensor, result: ChainObjective) -> Tensor:
        ctx.save_for_backward(result.derivative)
        return result.objective + result.l2_term

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:  # type: ignore[override]
        (derivative,) = ctx.saved_tensors
        return gradient * derivative, None


class ChainLoss(nn.Module):
    """LF-MMI as a loss to minimize: minus the objective per frame.

        loss = ChainLoss(DenominatorGraph.from_fst(read_fst("den.fst"), num_pdfs))
        loss(output, supervision).backward()

    With ``xent_output`` (log-softmax outputs of a second branch, shaped like the output), ``xent_regularize`` times its
    cross-entropy against the numerator's posteriors is added.
    """

    def __init__(self, graph: DenominatorGraph, options: ChainOptions | None = None) -> None:
        super().__init__()
        self.graph = graph
        self.options = options or ChainOptions()

    def forward(self, output: Tensor, supervision: Supervision, xent_output: Tensor | None = None) -> Tensor:
        return self.evaluate(output, supervision, xent_output)[0]

    def evaluate(
        self, output: Tensor, supervision: Supervision, xent_output: Tensor | None = None
    ) -> tuple[Tensor, ChainObjective]:
        """The loss, and what it is made of."""
        result = chain_objective(self.graph, supervision, output, self.options)
        total = _Function.apply(output, result)
        if xent_output is not None and self.options.xent_regularize:
            total = total + self.options.xent_regularize * (result.numerator_posteriors * xent_output).sum()
        return -total / result.weight, result

"""Kaldi's chain objective and its derivative (chain/chain-training.cc)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from kaldi_bridge import log
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.examples.supervision import Supervision
from nnet3_compat.chain.denominator import denominator
from nnet3_compat.chain.denominator_graph import DenominatorGraph
from nnet3_compat.chain.numerator import begin_numerator
from nnet3_compat.chain.options import LIMIT, ChainOptions

FAILED_OBJECTIVE = -10.0  # per frame, where the computation failed
MOST_EXCESS = 2.0  # of the denominator's posteriors in the first frame, which should add up to the number of sequences


@dataclass
class ChainObjective:
    """The objective of one minibatch, not divided by the number of frames.

    Attributes:
        objective: numerator minus denominator log-probability, times the supervision's weight.
        l2_term: -0.5 * l2_regularize * |output|^2, times the weight.
        weight: frames times the weight, to divide by.
        derivative: of objective + l2_term with respect to the output, and the penalty for outputs beyond +-30.
        numerator_posteriors: shaped like the output, times the weight; the cross-entropy output's targets.
        ok: False where infinities or NaNs made the minibatch useless: derivatives are then zero.
    """

    objective: Tensor
    l2_term: Tensor
    weight: float
    derivative: Tensor
    numerator_posteriors: Tensor
    ok: bool

    def cross_entropy(self, xent_output: Tensor) -> Tensor:
        """Of log-softmax outputs, shaped like the output, against the numerator's posteriors; not negated."""
        if not self.ok:
            return torch.zeros_like(self.objective)
        return (self.numerator_posteriors * xent_output.detach()).sum()

    def weighted(self, weights: Tensor) -> ChainObjective:
        """With derivatives and posteriors times ``weights``, one for each frame of a sequence; the values stay."""
        if weights.shape != self.derivative.shape[:-1]:
            raise KaldiError(
                f"derivative weights {tuple(weights.shape)} do not fit an output {tuple(self.derivative.shape)}"
            )
        if (weights == 1.0).all():
            return self
        column = weights.to(self.derivative).unsqueeze(-1)
        return replace(
            self, derivative=self.derivative * column, numerator_posteriors=self.numerator_posteriors * column
        )


def chain_objective(
    graph: DenominatorGraph,
    supervision: Supervision | Sequence[Supervision],
    output: Tensor,
    options: ChainOptions,
    backend: str = "auto",
) -> ChainObjective:
    """``output``: [frames * sequences, pdfs], all sequences of the first frame, then of the second, as Kaldi has them;
    or [sequences, frames, pdfs], in which sequences may be shorter, if ``supervision`` says so: what is beyond their
    ends does not count. Outputs in half precision are computed with, and have derivatives, in single precision.
    ``backend``: what computes the denominator (backends.py).

    Raises KaldiError when shapes do not fit.
    """
    supervisions = [supervision] if isinstance(supervision, Supervision) else list(supervision)
    lengths = lengths_of(supervisions)
    exact = output.detach() if output.dtype == torch.float64 else output.detach().float()
    shaped = _frame_major(exact, graph, supervisions, lengths)
    frames, batch_first = shaped.shape[0], output.dim() == 3
    if int(lengths.min()) < frames:
        inside = torch.arange(frames).unsqueeze(1) < lengths
        shaped = torch.where(inside.to(shaped.device).unsqueeze(2), shaped, torch.zeros_like(shaped))

    numerator = begin_numerator(supervisions, shaped)
    den_log_prob, den_posteriors = denominator(graph, shaped, options.leaky_hmm_coefficient, lengths, backend)
    num_log_prob, num_posteriors = numerator()
    scale = supervisions[0].weight
    weight = scale * int(lengths.sum())
    objective = scale * (num_log_prob - den_log_prob)
    if options.lwf_den_scale and supervisions[0].fst is None:  # in Kaldi too for flat-start examples only
        den_posteriors = (1.0 + options.lwf_den_scale) * den_posteriors
    derivative = num_posteriors - den_posteriors
    if scale != 1.0:
        derivative, num_posteriors = scale * derivative, scale * num_posteriors
    low, high = torch.aminmax(shaped)
    if options.out_of_range_regularize and not (low >= -LIMIT and high <= LIMIT):
        # Kaldi adds twice this penalty to every other minibatch, at random.
        derivative -= options.out_of_range_regularize * (shaped - shaped.clamp(-LIMIT, LIMIT))
    l2_term = objective.new_zeros(())
    excess = float(den_posteriors[0].sum()) - len(lengths)
    # A sum is infinite or no number where an element is.
    ok = bool(torch.isfinite(objective) & torch.isfinite(derivative.sum())) and abs(excess) <= MOST_EXCESS
    if not ok:
        log.warning(
            f"Objective function is {objective.item():g}, "
            f"setting it to {FAILED_OBJECTIVE:g} per frame and derivatives to zero"
        )
        objective = torch.full_like(objective, FAILED_OBJECTIVE * weight)
        derivative, num_posteriors = torch.zeros_like(shaped), torch.zeros_like(shaped)
    elif options.l2_regularize:
        l2_term = -0.5 * scale * options.l2_regularize * shaped.square().sum()
        derivative -= scale * options.l2_regularize * shaped
    derivative, num_posteriors = (
        (x.transpose(0, 1) if batch_first else x.view_as(output)) for x in (derivative, num_posteriors)
    )
    return ChainObjective(objective, l2_term, weight, derivative, num_posteriors, ok)


def lengths_of(supervisions: Sequence[Supervision]) -> Tensor:
    """The frames of each sequence, int64. Raises KaldiError where there are none."""
    lengths = [s.frames_per_sequence for s in supervisions for _ in range(s.num_sequences)]
    if not lengths:
        raise KaldiError("there are no supervisions")
    return torch.tensor(lengths)


def _frame_major(
    output: Tensor, graph: DenominatorGraph, supervisions: Sequence[Supervision], lengths: Tensor
) -> Tensor:
    """[frames, sequences, pdfs]."""
    frames, sequences, pdfs = int(lengths.max()), len(lengths), graph.num_pdfs
    wanted = (sequences, frames, pdfs) if output.dim() == 3 else (frames * sequences, pdfs)
    uneven = output.dim() != 3 and int(lengths.min()) != frames
    if tuple(output.shape) != wanted or uneven or any(s.label_dim != pdfs for s in supervisions):
        raise KaldiError(
            f"the network's output is {tuple(output.shape)}, but the supervision has {frames} frames of {sequences} "
            f"sequences and {supervisions[0].label_dim} pdfs, the denominator graph {pdfs}"
        )
    if any(s.weight != supervisions[0].weight for s in supervisions):
        raise KaldiError("the supervisions of a minibatch have different weights")
    return output.transpose(0, 1).contiguous() if output.dim() == 3 else output.view(frames, sequences, pdfs)

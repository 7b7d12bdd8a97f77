"""Cross-entropy against a pdf for each frame, and the priors that decoding divides by.

A hybrid system decodes with likelihoods, p(x | pdf) ~ p(pdf | x) / p(pdf). The priors p(pdf) are the shares of the
pdfs among the targets seen in training or, as Kaldi has it (steps/nnet3/adjust_priors.sh), the average of the trained
model's posteriors.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from kaldi_bridge.command import option
from kaldi_bridge.errors import KaldiError
from nnet3_compat.model.priors import priors_from_counts
from steps_pytorch.data.batch import Batch
from steps_pytorch.models.base import Model, ModelOutput
from steps_pytorch.objectives.base import Loss, Objective, Term, outputs_of
from steps_pytorch.objectives.registry import OBJECTIVES
from steps_pytorch.registry import Dimensions

PRIOR_SOURCES = ("posteriors", "targets")


@dataclass
class CrossEntropyOptions:
    """Options of ``cross-entropy``."""

    l2_regularize: float = option(0.0, "L2 regularization of the model's output")
    priors: str = option("posteriors", "What priors are made of: the trained model's posteriors, or the targets")
    prior_floor: float = option(1.0e-15, "Smallest prior")
    prior_scale: float = option(1.0, "Exponent of the priors: 0 for none at all")


class CrossEntropy(Objective):
    """Terms: ``cross-entropy``, the log-probability of the targets per frame; ``accuracy``.

    A batch's ``deriv_weights`` say how much each frame counts, in all of it, as the weights of Kaldi's posteriors do.

    Attributes:
        target_counts, posterior_counts: float64 [num_pdfs].
    """

    target_counts: Tensor
    posterior_counts: Tensor

    def __init__(self, num_pdfs: int, options: CrossEntropyOptions | None = None) -> None:
        super().__init__()
        self.options = options or CrossEntropyOptions()
        if self.options.priors not in PRIOR_SOURCES:
            raise KaldiError(f"--priors={self.options.priors} must be one of {', '.join(PRIOR_SOURCES)}")
        if not 0.0 < self.options.prior_floor < 1.0:  # likelihoods are divided by priors
            raise KaldiError(f"--prior-floor={self.options.prior_floor:g} must be a probability above 0 and below 1")
        self.register_buffer("target_counts", torch.zeros(num_pdfs, dtype=torch.float64))
        self.register_buffer("posterior_counts", torch.zeros(num_pdfs, dtype=torch.float64))

    def of_output(self, made: ModelOutput, batch: Batch) -> Loss:
        if batch.pdfs is None:
            raise KaldiError(f"data set {batch.dataset!r} has no pdfs for its frames: cross-entropy needs alignments")
        output = made.output.flatten(0, 1).float()
        targets = batch.pdfs.flatten()
        is_known = targets >= 0
        known = targets[is_known]
        num_pdfs = len(self.target_counts)
        if output.shape[1] != num_pdfs or (len(known) and int(known.max()) >= num_pdfs):
            raise KaldiError(f"{output.shape[1]} outputs, {num_pdfs} pdfs, a target {int(known.max())}: they differ")
        weights = is_known.float() if batch.deriv_weights is None else is_known * batch.deriv_weights.flatten()
        frames = float(weights.sum())
        nll = (weights * functional.cross_entropy(output, targets, ignore_index=-1, reduction="none")).sum()
        loss = nll / (frames or 1.0)
        if self.options.l2_regularize:
            loss = loss + 0.5 * self.options.l2_regularize * output.square().sum(1).mean()
        if self.training:
            self.target_counts += torch.bincount(known, weights[is_known].double(), minlength=num_pdfs)
        right = float((weights * (output.detach().argmax(1) == targets)).sum())
        terms = {"cross-entropy": Term(-float(nll.detach()), frames), "accuracy": Term(right, frames)}
        return Loss(loss, terms, bool(torch.isfinite(loss)))

    @torch.no_grad()
    def estimate_priors(self, model: Model, batches: Iterable[Batch]) -> None:
        if self.options.priors == "targets":
            return
        self.posterior_counts.zero_()
        model.eval()
        for batch in batches:
            output = outputs_of(model, batch).output.float()
            self.posterior_counts += output.softmax(-1).sum((0, 1)).double()

    def priors(self) -> np.ndarray:
        counts = self.target_counts if self.options.priors == "targets" else self.posterior_counts
        if not counts.sum() > 0:
            raise KaldiError("there are no priors yet: nothing was counted")
        priors = priors_from_counts(counts.cpu().numpy(), self.options.prior_floor)
        return priors_from_counts(priors.astype(np.float64) ** self.options.prior_scale)


@OBJECTIVES.add("cross-entropy", CrossEntropyOptions)
def make_cross_entropy(options: CrossEntropyOptions, dimensions: Dimensions) -> CrossEntropy:
    """Cross-entropy against one pdf a frame."""
    return CrossEntropy(dimensions.num_pdfs, options)

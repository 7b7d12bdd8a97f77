"""The squared norm of the outputs, whatever the targets: a regularizer that unlabeled data can have too."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from steps_pytorch.data.batch import Batch
from steps_pytorch.models.base import ModelOutput
from steps_pytorch.objectives.base import Loss, Objective, Term
from steps_pytorch.objectives.registry import OBJECTIVES
from steps_pytorch.registry import Dimensions


@dataclass
class L2Options:
    """None."""


class L2(Objective):
    """Term: ``l2``, minus half the squared norm per frame."""

    def of_output(self, made: ModelOutput, batch: Batch) -> Loss:
        total = 0.5 * made.output.float().square().sum()
        term = Term(-float(total.detach()), batch.num_frames)
        return Loss(total / batch.num_frames, {"l2": term}, bool(torch.isfinite(total)))


@OBJECTIVES.add("l2", L2Options)
def make_l2(options: L2Options, dimensions: Dimensions) -> L2:
    """The squared norm of the outputs."""
    return L2()

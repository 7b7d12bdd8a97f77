"""How the matrix of embeddings is trained (rnnlm/rnnlm-embedding-training.cc).

By natural gradient over its rows, with L2 terms, a limit of each change, and momentum.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from kaldi_bridge import log
from kaldi_bridge.errors import KaldiError
from nnet3_compat.training.natural_gradient import OnlineNaturalGradient
from nnet3_compat.training.rows import Rows


@dataclass(frozen=True)
class EmbeddingOptions:
    """Attributes are named as the options --embedding.* of rnnlm-train."""

    momentum: float = 0.0
    max_param_change: float = 1.0
    l2_regularize: float = 0.0
    learning_rate: float = 0.01
    backstitch_training_scale: float = 0.0
    backstitch_training_interval: int = 1
    use_natural_gradient: bool = True
    natural_gradient_alpha: float = 4.0
    natural_gradient_rank: int = 80
    natural_gradient_update_period: int = 4
    natural_gradient_num_minibatches_history: int = 10

    def __post_init__(self) -> None:
        limits = {
            "momentum": 0.0 <= self.momentum < 1.0,
            "learning-rate": self.learning_rate > 0.0,
            "natural-gradient-alpha": self.natural_gradient_alpha > 0.0,
            "natural-gradient-rank": self.natural_gradient_rank > 0,
            "natural-gradient-update-period": self.natural_gradient_update_period >= 1,
            "natural-gradient-num-minibatches-history": self.natural_gradient_num_minibatches_history > 1,
            "backstitch-training-interval": self.backstitch_training_interval >= 1,
        }
        for name, ok in limits.items():
            if not ok:
                raise KaldiError(f"--embedding.{name}={getattr(self, name.replace('-', '_'))} is out of range")
        if self.backstitch_training_scale > 0.0 and self.momentum > 0.0:
            raise KaldiError("--embedding.backstitch-training-scale cannot be combined with --embedding.momentum")


class EmbeddingTrainer:
    """Changes a matrix in place."""

    def __init__(self, options: EmbeddingOptions, matrix: Tensor) -> None:
        self._options, self._matrix = options, matrix
        self._initial = matrix.cpu().clone()
        self._change: Tensor | None = None
        self._estimate = OnlineNaturalGradient(
            rank=options.natural_gradient_rank,
            update_period=options.natural_gradient_update_period,
            num_minibatches_history=options.natural_gradient_num_minibatches_history,
            alpha=options.natural_gradient_alpha,
        )
        self._minibatches = self._limited = 0

    def train(self, derivative: Tensor, rows: Tensor | None = None, backstitch_step: int = 0) -> None:
        """Takes a step.

        Args:
            derivative: [rows, dim], of what is maximized; it is changed, to the direction of the step.
            rows: int64, which rows of the matrix these are; None: all.
            backstitch_step: 0 none, 1 backwards, 2 forwards.
        """
        options = self._options
        l2_scale = {0: 1.0, 1: 0.0, 2: 1.0 / (1.0 + options.backstitch_training_scale)}[backstitch_step]
        if options.l2_regularize > 0.0 and l2_scale:
            current = self._matrix if rows is None else self._matrix[rows]
            derivative.add_(current, alpha=-2.0 * options.l2_regularize * l2_scale)
        scale = 1.0
        if options.use_natural_gradient:
            found = self._estimate.precondition(Rows([derivative]), frozen=backstitch_step == 1)
            found.columns_(derivative)
            scale = float(found.scale)
        scale = self._within_limit(scale * options.learning_rate, derivative)
        if backstitch_step == 1:
            scale *= -options.backstitch_training_scale
        elif backstitch_step == 2:
            scale *= 1.0 + options.backstitch_training_scale
        self._minibatches += backstitch_step != 1
        if options.momentum > 0.0:
            self._add_with_momentum(scale, derivative, rows)
        elif rows is None:
            self._matrix.add_(derivative, alpha=scale)
        else:
            self._matrix.index_add_(0, rows, derivative, alpha=scale)

    def _within_limit(self, scale: float, direction: Tensor) -> float:
        limit = self._options.max_param_change
        if limit <= 0.0:
            return scale
        size = scale * float(torch.linalg.vector_norm(direction))
        if not size > limit:
            return scale
        self._limited += 1
        log.info(
            f"Applying max-change with scale {limit / size:g} since param-change={size:g} >  "
            f"--embedding.max-param-change={limit:g}"
        )
        return scale * limit / size

    def _add_with_momentum(self, scale: float, direction: Tensor, rows: Tensor | None) -> None:
        momentum = self._options.momentum
        if self._change is None:
            self._change = torch.zeros_like(self._matrix)
        if rows is None:
            self._change.add_(direction, alpha=scale * (1.0 - momentum))
        else:
            self._change.index_add_(0, rows, direction, alpha=scale * (1.0 - momentum))
        self._matrix.add_(self._change)
        self._change.mul_(momentum)

    def report(self) -> None:
        """Logs how often the change was limited, and how far the matrix has come."""
        options = self._options
        steps = float(self._minibatches)
        if options.backstitch_training_scale:
            steps *= 1.0 + 1.0 / options.backstitch_training_interval
        share = 100.0 * self._limited / steps if steps else float("nan")
        log.info(
            f"Processed a total of {self._minibatches} minibatches. max-change was enforced {share:g} % of the time."
        )
        now = self._matrix.cpu()
        change, before, after = (float(torch.linalg.norm(m)) for m in (now - self._initial, self._initial, now))
        log.info(
            f"Norm of embedding-matrix differences is {change:g} (initial norm of matrix was {before:g}; now it is "
            f"{after:g})"
        )
        log.info(f"Relative change in embedding matrix is {change / before if before else float('inf'):g}")

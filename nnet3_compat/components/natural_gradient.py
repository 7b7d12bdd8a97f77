"""How a component wants its natural gradient estimated (Kaldi: SetNaturalGradientConfigs of each component)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class NaturalGradient:
    """Settings of one online estimate (nnet3/natural-gradient-online.h), with Kaldi's defaults.

    Attributes:
        rank: of the estimated covariance, beyond a multiple of the unit matrix.
        update_period: minibatches from one update of the estimate to the next.
        num_samples_history: vectors after which the estimate has forgotten most of what it was.
        num_minibatches_history: the same in minibatches; used instead where not zero.
        alpha: how much the estimate is smoothed.
    """

    rank: int = 40
    update_period: int = 1
    num_samples_history: float = 2000.0
    num_minibatches_history: float = 0.0
    alpha: float = 4.0

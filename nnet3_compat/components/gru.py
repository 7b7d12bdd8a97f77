"""The nonlinearities of gated recurrent units (Kaldi: nnet3/nnet-combined-component.cc)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from nnet3_compat.components.base import UpdatableComponent
from nnet3_compat.components.config import Keys
from nnet3_compat.components.fields import DOUBLE, FLOAT, INT, MATRIX, VECTOR, Field
from nnet3_compat.components.natural_gradient import NaturalGradient
from nnet3_compat.components.nonlinear import average
from nnet3_compat.components.randomness import gaussian
from nnet3_compat.components.summary import number, stats, summarize

_STATISTICS = (
    Field("<ValueAvg>", VECTOR, "value_avg"),
    Field("<DerivAvg>", VECTOR, "deriv_avg"),
    Field("<SelfRepairTotal>", DOUBLE, "self_repair_total"),
    Field("<Count>", DOUBLE, "count"),
    Field("<SelfRepairThreshold>", FLOAT, "self_repair_threshold"),
    Field("<SelfRepairScale>", FLOAT, "self_repair_scale"),
    Field("<Alpha>", FLOAT, "alpha"),
)


class _GatedComponent(UpdatableComponent):
    """Statistics of the tanh that makes the new state: sums [cell_dim] over ``count`` frames; files hold averages."""

    PARAMS = ("w_h",)
    STATS = ("value_sum", "deriv_sum", "self_repair_total", "count")

    cell_dim: int = -1
    w_h: np.ndarray
    value_sum: np.ndarray
    deriv_sum: np.ndarray
    self_repair_total: float = 0.0
    count: float = 0.0
    self_repair_threshold: float = 0.2
    self_repair_scale: float = 1.0e-05
    alpha: float = 4.0
    update_period: int = 4

    @property
    def output_dim(self) -> int:
        return 2 * self.cell_dim

    @property
    def value_avg(self) -> np.ndarray:
        return average(self.value_sum, self.count)

    @property
    def deriv_avg(self) -> np.ndarray:
        return average(self.deriv_sum, self.count)

    def _restore(self, values: dict[str, Any]) -> None:
        self.value_sum = values.pop("value_avg").astype(np.float64) * values["count"]
        self.deriv_sum = values.pop("deriv_avg").astype(np.float64) * values["count"]
        super()._restore(values)

    def check(self) -> None:
        self.expect(self.cell_dim > 0, "cell-dim must be above zero")
        self.expect(self.self_repair_threshold >= 0.0, "self-repair-threshold must not be negative")
        self.expect(self.self_repair_scale >= 0.0, "self-repair-scale must not be negative")
        sizes = {self.value_sum.size, self.deriv_sum.size}
        self.expect(sizes == {self.cell_dim}, f"statistics have {sorted(sizes)} dimensions instead of {self.cell_dim}")

    def _configure_cell(self, keys: Keys) -> None:
        self.configure_rates(keys)
        self.cell_dim = keys.positive("cell-dim")
        self.self_repair_threshold = keys.not_negative_or("self-repair-threshold", 0.2)
        self.self_repair_scale = keys.not_negative_or("self-repair-scale", 1.0e-05)
        self.alpha = keys.get("alpha", float, 4.0)
        self.value_sum, self.deriv_sum = np.zeros(self.cell_dim), np.zeros(self.cell_dim)

    def _statistics_info(self) -> str:
        text = stats("w_h", self.w_h) + f", self-repair-threshold={number(self.self_repair_threshold)}"
        text += f", self-repair-scale={number(self.self_repair_scale)}"
        if self.count > 0:
            repaired = self.self_repair_total / (self.count * self.cell_dim)
            text += f", count={number(self.count, 3)}, self-repaired-proportion={number(repaired)}"
            text += f", value-avg={summarize(self.value_avg)}, deriv-avg={summarize(self.deriv_avg)}"
        return f"{text}, alpha={number(self.alpha)}"


class GruNonlinearityComponent(_GatedComponent):
    """(z, r, [hpart,] W x, c_{t-1} or s_{t-1}) -> (h_t, c_t), with ``w_h`` [cell_dim, recurrent_dim] inside the tanh.

    ``recurrent_dim < cell_dim`` is the projected kind, whose input is (z, r, hpart, c_{t-1}, s_{t-1}).
    """

    TYPE = "GruNonlinearityComponent"
    FIELDS = (
        Field("<CellDim>", INT, "cell_dim"),
        Field("<RecurrentDim>", INT, "recurrent_dim"),
        Field("<w_h>", MATRIX, "w_h"),
        *_STATISTICS,
        Field("<RankInOut>", INT, "rank_in", "rank_out"),
        Field("<UpdatePeriod>", INT, "update_period"),
    )

    recurrent_dim: int = -1
    rank_in: int = 20
    rank_out: int = 80

    @property
    def input_dim(self) -> int:
        if self.recurrent_dim == self.cell_dim:
            return 4 * self.cell_dim
        return 3 * self.cell_dim + 2 * self.recurrent_dim

    def check(self) -> None:
        super().check()
        self.expect(0 < self.recurrent_dim <= self.cell_dim, "recurrent-dim must be above zero, at most cell-dim")
        self.expect(self.w_h.shape == (self.cell_dim, self.recurrent_dim), "w_h has the wrong dimensions")

    def configure(self, keys: Keys) -> None:
        self._configure_cell(keys)
        recurrent_dim = keys.get("recurrent-dim", int, -1)
        self.recurrent_dim = recurrent_dim if recurrent_dim >= 0 else self.cell_dim
        keys.expect(0 < self.recurrent_dim <= self.cell_dim, "recurrent-dim must be above zero, at most cell-dim")
        keys.expect_size(self.cell_dim, self.recurrent_dim)
        stddev = keys.get("param-stddev", float, 1.0 / math.sqrt(self.cell_dim))
        self.w_h = gaussian(self.cell_dim, self.recurrent_dim, stddev=stddev)
        self.rank_in, self.rank_out = keys.positive_or("rank-in", 20), keys.positive_or("rank-out", 80)
        self.update_period = keys.positive_or("update-period", 4)

    def natural_gradient(self) -> tuple[NaturalGradient, ...]:
        return tuple(
            NaturalGradient(rank, self.update_period, alpha=self.alpha) for rank in (self.rank_in, self.rank_out)
        )

    def info(self) -> str:
        return (
            f"{super().info()}, cell-dim={self.cell_dim}, recurrent-dim={self.recurrent_dim}{self._statistics_info()}"
            f", rank-in={self.rank_in}, rank-out={self.rank_out}, update-period={self.update_period}"
        )


class OutputGruNonlinearityComponent(_GatedComponent):
    """(z, W x, c_{t-1}) -> (h_t, c_t), with element-wise ``w_h`` [cell_dim] inside the tanh."""

    TYPE = "OutputGruNonlinearityComponent"
    FIELDS = (
        Field("<CellDim>", INT, "cell_dim"),
        Field("<w_h>", VECTOR, "w_h"),
        *_STATISTICS,
        Field("<Rank>", INT, "rank"),
        Field("<UpdatePeriod>", INT, "update_period"),
    )

    rank: int = 8
    update_period: int = 10

    @property
    def input_dim(self) -> int:
        return 3 * self.cell_dim

    def check(self) -> None:
        super().check()
        self.expect(self.w_h.shape == (self.cell_dim,), "w_h has the wrong dimension")

    def configure(self, keys: Keys) -> None:
        self._configure_cell(keys)
        mean, stddev = keys.get("param-mean", float, 0.0), keys.get("param-stddev", float, 1.0)
        self.w_h = gaussian(self.cell_dim, mean=mean, stddev=stddev)
        self.rank = keys.positive_or("rank", 8)
        self.update_period = keys.positive_or("update-period", 10)

    def natural_gradient(self) -> tuple[NaturalGradient, ...]:
        return (NaturalGradient(self.rank, self.update_period, alpha=self.alpha),)

    def info(self) -> str:
        return (
            f"{super().info()}, cell-dim={self.cell_dim}{self._statistics_info()}"
            f", rank={self.rank}, update-period={self.update_period}"
        )

"""Normalization to unit RMS, and batch normalization (Kaldi: nnet3/nnet-normalize-component.cc)."""

from __future__ import annotations

from typing import Any

import numpy as np

from nnet3_compat.components.base import Component
from nnet3_compat.components.config import Keys
from nnet3_compat.components.fields import BOOL, DOUBLE, FLOAT, INT, VECTOR, Field, legacy
from nnet3_compat.components.summary import boolean, number, summarize


class NormalizeComponent(Component):
    """Scale each block of ``block_dim`` dimensions to the RMS value ``target_rms``; may append the log of the scale."""

    TYPE = "NormalizeComponent"
    FIELDS = (
        Field("<InputDim>", INT, "input_dim", older=("<Dim>",)),
        Field("<BlockDim>", INT, "block_dim", when=lambda c: c.block_dim != c.input_dim),
        Field("<TargetRms>", FLOAT, "target_rms", optional=True),
        Field("<AddLogStddev>", BOOL, "add_log_stddev", optional=True),
        legacy("<ValueAvg>", VECTOR),
        legacy("<DerivAvg>", VECTOR),
        legacy("<Count>", DOUBLE),
    )

    input_dim: int = -1
    block_dim: int = -1
    target_rms: float = 1.0
    add_log_stddev: bool = False

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        if self.block_dim == -1:
            self.block_dim = self.input_dim

    @property
    def output_dim(self) -> int:
        return self.input_dim + (self.input_dim // self.block_dim if self.add_log_stddev else 0)

    def _restore(self, values: dict[str, Any]) -> None:
        values.setdefault("block_dim", values["input_dim"])
        super()._restore(values)

    def check(self) -> None:
        self.expect(self.input_dim > 0, "input-dim must be above zero")
        self.expect(self.block_dim > 0 and self.input_dim % self.block_dim == 0, "block-dim must divide the dimension")
        self.expect(self.target_rms > 0.0, "target-rms must be above zero")

    def configure(self, keys: Keys) -> None:
        self.input_dim = keys.positive("dim" if keys.has("dim") else "input-dim")
        self.block_dim = keys.positive_or("block-dim", self.input_dim)
        self.target_rms = keys.get("target-rms", float, 1.0)
        self.add_log_stddev = keys.get("add-log-stddev", bool, False)

    def info(self) -> str:
        text = f"{super().info()}, target-rms={number(self.target_rms)}, add-log-stddev={boolean(self.add_log_stddev)}"
        return text + (f", block-dim={self.block_dim}" if self.block_dim != self.input_dim else "")


class BatchNormComponent(Component):
    """Subtract the mean, scale to ``target_rms``: of the minibatch in training, of all data seen in test mode.

    ``stats_sum``, ``stats_sumsq`` [block_dim] over ``count`` rows; files hold mean and variance.
    """

    TYPE = "BatchNormComponent"
    FIELDS = (
        Field("<Dim>", INT, "dim"),
        Field("<BlockDim>", INT, "block_dim"),
        Field("<Epsilon>", FLOAT, "epsilon"),
        Field("<TargetRms>", FLOAT, "target_rms"),
        Field("<TestMode>", BOOL, "test_mode"),
        Field("<Count>", DOUBLE, "count"),
        Field("<StatsMean>", VECTOR, "mean"),
        Field("<StatsVar>", VECTOR, "variance"),
    )
    STATS = ("count", "stats_sum", "stats_sumsq")
    is_scale_and_offset = True

    dim: int = -1
    block_dim: int = -1
    epsilon: float = 1.0e-03
    target_rms: float = 1.0
    test_mode: bool = False
    count: float = 0.0
    stats_sum: np.ndarray
    stats_sumsq: np.ndarray

    @property
    def input_dim(self) -> int:
        return self.dim

    output_dim = input_dim

    @property
    def mean(self) -> np.ndarray:
        """float32 [block_dim]; with a count of zero, the sum."""
        return self._mean().astype(np.float32)

    def _mean(self) -> np.ndarray:
        return self.stats_sum / self.count if self.count != 0.0 else self.stats_sum

    @property
    def variance(self) -> np.ndarray:
        """float32 [block_dim]; with a count of zero, the sum of squares."""
        if self.count == 0.0:
            return self.stats_sumsq.astype(np.float32)
        return (self.stats_sumsq / self.count - self._mean() ** 2).astype(np.float32)

    def _restore(self, values: dict[str, Any]) -> None:
        mean, variance = (values.pop(name).astype(np.float64) for name in ("mean", "variance"))
        if mean.shape == variance.shape:
            self.stats_sum = mean * values["count"]
            self.stats_sumsq = (variance + mean * mean) * values["count"]
        else:
            self.stats_sum, self.stats_sumsq = mean, variance
        super()._restore(values)

    def check(self) -> None:
        self.expect(self.dim > 0, "dim must be above zero")
        self.expect(self.block_dim > 0 and self.dim % self.block_dim == 0, "block-dim must divide dim")
        self.expect(self.epsilon > 0.0 and self.target_rms > 0.0, "epsilon and target-rms must be above zero")
        sizes = {self.stats_sum.size, self.stats_sumsq.size}
        self.expect(
            sizes == {self.block_dim}, f"statistics have dimensions {sorted(sizes)} instead of {self.block_dim}"
        )

    def configure(self, keys: Keys) -> None:
        self.dim = keys.positive("dim")
        self.block_dim = keys.get("block-dim", int, -1)
        if self.block_dim == -1:
            self.block_dim = self.dim
        keys.expect(self.block_dim > 0 and self.dim % self.block_dim == 0, "block-dim must divide dim")
        self.epsilon = keys.get("epsilon", float, 1.0e-03)
        self.target_rms = keys.get("target-rms", float, 1.0)
        self.test_mode = keys.get("test-mode", bool, False)
        self.stats_sum, self.stats_sumsq = np.zeros(self.block_dim), np.zeros(self.block_dim)

    def set_test_mode(self, test_mode: bool) -> None:
        self.test_mode = test_mode

    def zero_stats(self) -> None:
        """Nothing in test mode, where the statistics are the function."""
        if not self.test_mode:
            super().zero_stats()

    def info(self) -> str:
        text = (
            f"{self.TYPE}, dim={self.dim}, block-dim={self.block_dim}, epsilon={number(self.epsilon)}"
            f", target-rms={number(self.target_rms)}, count={number(self.count)}, test-mode={boolean(self.test_mode)}"
        )
        if self.count > 0:
            deviation = np.sqrt(np.maximum(self.variance, 0.0))
            text += f", data-mean={summarize(self.mean)}, data-stddev={summarize(deviation)}"
        return text

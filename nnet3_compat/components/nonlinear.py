"""Element-wise nonlinearities and softmax, which remember how their values and derivatives were distributed.

Files hold averages (``<ValueAvg>``), memory holds sums (Kaldi: nnet3/nnet-component-itf.cc, NonlinearComponent).
Averages are computed in double precision, so that reading and writing gives the same bytes.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from nnet3_compat.components.base import Component
from nnet3_compat.components.config import Keys
from nnet3_compat.components.fields import DOUBLE, FLOAT, INT, VECTOR, Field, nonzero
from nnet3_compat.components.summary import number, summarize

UNSET_THRESHOLD = -1000.0
"""Stands for the default self-repair threshold of the nonlinearity."""


@np.errstate(all="ignore")  # a diverged network may hold inf and nan
def average(total: np.ndarray, count: float) -> np.ndarray:
    """Single-precision average of double-precision sums; the sums themselves when the count is zero."""
    return (total / count if count != 0.0 else total).astype(np.float32)


class NonlinearComponent(Component):
    """``value_sum``, ``deriv_sum`` over ``count`` frames, ``oderiv_sumsq`` over ``oderiv_count``; may be empty."""

    FIELDS = (
        Field("<Dim>", INT, "dim"),
        Field("<BlockDim>", INT, "block_dim", when=lambda c: c.block_dim != c.dim),
        Field("<ValueAvg>", VECTOR, "value_avg"),
        Field("<DerivAvg>", VECTOR, "deriv_avg"),
        Field("<Count>", DOUBLE, "count"),
        Field("<OderivRms>", VECTOR, "oderiv_rms", optional=True),
        Field("<OderivCount>", DOUBLE, "oderiv_count", optional=True),
        Field("<NumDimsSelfRepaired>", DOUBLE, "num_dims_self_repaired", optional=True),
        Field("<NumDimsProcessed>", DOUBLE, "num_dims_processed", optional=True),
        Field(
            "<SelfRepairLowerThreshold>",
            FLOAT,
            "self_repair_lower_threshold",
            when=lambda c: c.self_repair_lower_threshold != UNSET_THRESHOLD,
        ),
        Field(
            "<SelfRepairUpperThreshold>",
            FLOAT,
            "self_repair_upper_threshold",
            when=lambda c: c.self_repair_upper_threshold != UNSET_THRESHOLD,
        ),
        Field("<SelfRepairScale>", FLOAT, "self_repair_scale", when=nonzero("self_repair_scale")),
    )
    STATS = (
        "value_sum",
        "deriv_sum",
        "oderiv_sumsq",
        "count",
        "oderiv_count",
        "num_dims_self_repaired",
        "num_dims_processed",
    )

    dim: int = -1
    block_dim: int = -1
    value_sum: np.ndarray
    deriv_sum: np.ndarray
    oderiv_sumsq: np.ndarray
    count: float = 0.0
    oderiv_count: float = 0.0
    num_dims_self_repaired: float = 0.0
    num_dims_processed: float = 0.0
    self_repair_lower_threshold: float = UNSET_THRESHOLD
    self_repair_upper_threshold: float = UNSET_THRESHOLD
    self_repair_scale: float = 0.0

    def __init__(self, **attributes: Any) -> None:
        self.value_sum = np.zeros(0)
        self.deriv_sum = np.zeros(0)
        self.oderiv_sumsq = np.zeros(0)
        super().__init__(**attributes)
        if self.block_dim == -1:
            self.block_dim = self.dim

    @property
    def input_dim(self) -> int:
        return self.dim

    output_dim = input_dim

    @property
    def value_avg(self) -> np.ndarray:
        """Mean value of each unit, float32 [dim]; zeros without frames."""
        return average(self.value_sum, self.count)

    @property
    def deriv_avg(self) -> np.ndarray:
        """Mean derivative of each unit, float32 [dim], where it is kept, else empty."""
        return average(self.deriv_sum, self.count)

    @property
    def oderiv_rms(self) -> np.ndarray:
        """Root mean square of the derivatives at the output, float32 [dim], where they are kept, else empty."""
        mean = self.oderiv_sumsq / self.oderiv_count if self.oderiv_count != 0.0 else self.oderiv_sumsq
        # Differences of models may have negative sums.
        return np.sqrt(np.maximum(mean, 0.0)).astype(np.float32)

    def _restore(self, values: dict[str, Any]) -> None:
        self.value_sum = values.pop("value_avg").astype(np.float64) * values["count"]
        self.deriv_sum = values.pop("deriv_avg").astype(np.float64) * values["count"]
        rms = values.pop("oderiv_rms", np.zeros(0)).astype(np.float64)
        self.oderiv_sumsq = rms * rms * values.get("oderiv_count", 0.0)
        values.setdefault("block_dim", values["dim"])
        super()._restore(values)

    def check(self) -> None:
        self.expect(self.dim > 0, "dim must be above zero")
        self.expect(self.block_dim > 0 and self.dim % self.block_dim == 0, "block-dim must divide dim")
        for name in ("value_sum", "deriv_sum", "oderiv_sumsq"):
            size = getattr(self, name).size
            self.expect(size in (0, self.dim), f"{name} has {size} elements instead of {self.dim}")

    def configure(self, keys: Keys) -> None:
        self.dim = keys.positive("dim")
        self.block_dim = keys.positive_or("block-dim", self.dim)
        unset = UNSET_THRESHOLD
        self.self_repair_lower_threshold = keys.get("self-repair-lower-threshold", float, unset)
        self.self_repair_upper_threshold = keys.get("self-repair-upper-threshold", float, unset)
        self.self_repair_scale = keys.get("self-repair-scale", float, 0.0)

    def info(self) -> str:
        text = f"{self.TYPE}, dim={self.dim}"
        if self.block_dim != self.dim:
            text += f", block-dim={self.block_dim}"
        for key, value in (
            ("lower", self.self_repair_lower_threshold),
            ("upper", self.self_repair_upper_threshold),
        ):
            if value != UNSET_THRESHOLD:
                text += f", self-repair-{key}-threshold={number(value)}"
        if self.self_repair_scale != 0.0:
            text += f", self-repair-scale={number(self.self_repair_scale)}"
        if self.count > 0 and self.value_sum.size == self.dim:
            repaired = self.num_dims_self_repaired / self.num_dims_processed if self.num_dims_processed > 0 else 0.0
            text += f", count={number(self.count, 3)}, self-repaired-proportion={number(repaired)}"
            text += f", value-avg={summarize(self.value_avg)}"
            if self.deriv_sum.size == self.dim:
                text += f", deriv-avg={summarize(self.deriv_avg)}"
        if self.oderiv_count > 0 and self.oderiv_sumsq.size == self.dim:
            text += f", oderiv-rms={summarize(self.oderiv_rms)}, oderiv-count={number(self.oderiv_count)}"
        return text


class SigmoidComponent(NonlinearComponent):
    """1 / (1 + exp(-x)) of each element (nnet3/nnet-simple-component.cc)."""

    TYPE = "SigmoidComponent"


class TanhComponent(NonlinearComponent):
    """The hyperbolic tangent of each element (nnet3/nnet-simple-component.cc)."""

    TYPE = "TanhComponent"


class RectifiedLinearComponent(NonlinearComponent):
    """max(x, 0)."""

    TYPE = "RectifiedLinearComponent"
    is_rectifier = True


class SoftmaxComponent(NonlinearComponent):
    """exp(x), each row scaled to a sum of one (nnet3/nnet-simple-component.cc)."""

    TYPE = "SoftmaxComponent"


class LogSoftmaxComponent(NonlinearComponent):
    """The logarithm of the softmax of each row (nnet3/nnet-simple-component.cc)."""

    TYPE = "LogSoftmaxComponent"

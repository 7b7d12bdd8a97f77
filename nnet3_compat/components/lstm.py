"""The nonlinearity of an LSTM, all gates in one component (Kaldi: nnet3/nnet-combined-component.cc)."""

from __future__ import annotations

from typing import Any

import numpy as np

from nnet3_compat.components.base import UpdatableComponent
from nnet3_compat.components.config import Keys
from nnet3_compat.components.fields import BOOL, DOUBLE, MATRIX, VECTOR, Field, nonzero
from nnet3_compat.components.natural_gradient import NaturalGradient
from nnet3_compat.components.nonlinear import average
from nnet3_compat.components.randomness import gaussian
from nnet3_compat.components.summary import boolean, number, stats, summarize

_NONLINEARITIES = ("i_t_sigmoid", "f_t_sigmoid", "c_t_tanh", "o_t_sigmoid", "m_t_tanh")


class LstmNonlinearityComponent(UpdatableComponent):
    """(i, f, c, o, c_{t-1} [, three dropout masks]) -> (c_t, m_t), each ``cell_dim`` wide, the masks one wide.

    ``params`` [3, cell_dim]: peephole weights w_ic, w_fc, w_oc. ``value_sum``, ``deriv_sum`` [5, cell_dim] are sums
    over ``count`` frames for the five nonlinearities; ``self_repair_config`` [10] holds five thresholds, then five
    scales; ``self_repair_total`` [5].
    """

    TYPE = "LstmNonlinearityComponent"
    FIELDS = (
        Field("<Params>", MATRIX, "params"),
        Field("<ValueAvg>", MATRIX, "value_avg"),
        Field("<DerivAvg>", MATRIX, "deriv_avg"),
        Field("<SelfRepairConfig>", VECTOR, "self_repair_config"),
        Field("<SelfRepairProb>", VECTOR, "self_repair_prob"),
        Field("<UseDropout>", BOOL, "use_dropout", when=nonzero("use_dropout")),
        Field("<Count>", DOUBLE, "count"),
    )
    PARAMS = ("params",)
    STATS = ("value_sum", "deriv_sum", "self_repair_total", "count")

    params: np.ndarray
    use_dropout: bool = False
    value_sum: np.ndarray
    deriv_sum: np.ndarray
    self_repair_config: np.ndarray
    self_repair_total: np.ndarray
    count: float = 0.0

    def natural_gradient(self) -> tuple[NaturalGradient, ...]:
        return (NaturalGradient(20, 2, 1000.0),)

    @property
    def cell_dim(self) -> int:
        """Number of cells; ``params`` is [3, cell_dim]."""
        return self.params.shape[1]

    @property
    def input_dim(self) -> int:
        return self.cell_dim * 5 + (3 if self.use_dropout else 0)

    @property
    def output_dim(self) -> int:
        return self.cell_dim * 2

    @property
    def value_avg(self) -> np.ndarray:
        """Mean values [5, cell_dim] of the gates i and f, the update, the gate o and tanh of the cell."""
        return average(self.value_sum, self.count)

    @property
    def deriv_avg(self) -> np.ndarray:
        """Mean derivatives [5, cell_dim] of the same nonlinearities."""
        return average(self.deriv_sum, self.count)

    @property
    def self_repair_prob(self) -> np.ndarray:
        """[5], how often units of each nonlinearity were repaired, from 0 to 1."""
        return average(self.self_repair_total, self.count * self.cell_dim)

    def _restore(self, values: dict[str, Any]) -> None:
        count = values["count"]
        self.value_sum = values.pop("value_avg").astype(np.float64) * count
        self.deriv_sum = values.pop("deriv_avg").astype(np.float64) * count
        total = values.pop("self_repair_prob").astype(np.float64)
        self.self_repair_total = total * (count * values["params"].shape[1])
        super()._restore(values)

    def check(self) -> None:
        self.expect(self.params.size > 0 and self.params.shape[0] == 3, "parameters must be three rows")
        shape = (5, self.cell_dim)
        self.expect(self.value_sum.shape == shape == self.deriv_sum.shape, f"statistics must be {shape}")
        self.expect(self.self_repair_config.shape == (10,), "the self-repair configuration must have ten numbers")
        self.expect(self.self_repair_total.shape == (5,), "the self-repair statistics must have five numbers")

    def configure(self, keys: Keys) -> None:
        self.configure_rates(keys)
        cell_dim = keys.positive("cell-dim")
        self.params = gaussian(3, cell_dim, stddev=keys.not_negative_or("param-stddev", 1.0))
        tanh = keys.not_negative_or("tanh-self-repair-threshold", 0.2)
        sigmoid = keys.not_negative_or("sigmoid-self-repair-threshold", 0.05)
        scale = keys.not_negative_or("self-repair-scale", 1.0e-05)
        keys.expect(tanh <= 1.0 and sigmoid <= 0.25, "self-repair thresholds: at most 1 for tanh, 0.25 for sigmoid")
        keys.expect(scale <= float(np.float32(0.1)), "self-repair-scale must be at most 0.1")
        self.use_dropout = keys.get("use-dropout", bool, False)
        thresholds = [sigmoid, sigmoid, tanh, sigmoid, tanh]
        self.self_repair_config = np.array(thresholds + [scale] * 5, np.float32)
        self.value_sum, self.deriv_sum = np.zeros((5, cell_dim)), np.zeros((5, cell_dim))
        self.self_repair_total = np.zeros(5)

    def info(self) -> str:
        text = f"{super().info()}, cell-dim={self.cell_dim}, use-dropout={boolean(self.use_dropout)}"
        for name, row in zip(("w_ic", "w_fc", "w_oc"), self.params, strict=True):
            text += stats(name, row)
        if self.count > 0:
            text += f", count={number(self.count, 3)}"
        config, values, derivs = self.self_repair_config, self.value_avg, self.deriv_avg
        for i, name in enumerate(_NONLINEARITIES):
            text += f", {name}={{ self-repair-lower-threshold={number(config[i])}"
            text += f", self-repair-scale={number(config[i + 5])}"
            if self.count != 0:
                text += f", self-repaired-proportion={number(self.self_repair_prob[i])}"
                text += f", value-avg={summarize(values[i])}, deriv-avg={summarize(derivs[i])}"
            text += " }"
        return text

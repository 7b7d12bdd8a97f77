"""Affine map of several frames, spliced (Kaldi: nnet3/nnet-tdnn-component.cc)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from nnet3_compat.components.affine import rank
from nnet3_compat.components.base import UpdatableComponent
from nnet3_compat.components.config import Keys
from nnet3_compat.components.fields import BOOL, FLOAT, INT, INTS, MATRIX, VECTOR, Field
from nnet3_compat.components.natural_gradient import NaturalGradient
from nnet3_compat.components.randomness import gaussian
from nnet3_compat.components.summary import number, stats
from nnet3_compat.components.taps import Taps


class TdnnComponent(UpdatableComponent):
    """``linear_params`` [output, len(time_offsets) * input], offset by offset; ``bias_params`` may be empty."""

    TYPE = "TdnnComponent"
    FIELDS = (
        Field("<TimeOffsets>", INTS, "time_offsets"),
        Field("<LinearParams>", MATRIX, "linear_params"),
        Field("<BiasParams>", VECTOR, "bias_params"),
        Field("<OrthonormalConstraint>", FLOAT, "orthonormal_constraint"),
        Field("<UseNaturalGradient>", BOOL, "use_natural_gradient"),
        Field("<NumSamplesHistory>", FLOAT, "num_samples_history"),
        Field("<AlphaInOut>", FLOAT, "alpha_in", "alpha_out", optional=True),
        Field("<Alpha>", FLOAT, "alpha", when=lambda c: False),
        Field("<RankInOut>", INT, "rank_in", "rank_out"),
    )
    PARAMS = ("linear_params", "bias_params")
    is_affine = True
    fills_gaps = True

    time_offsets: list[int]
    linear_params: np.ndarray
    bias_params: np.ndarray
    orthonormal_constraint: float = 0.0
    use_natural_gradient: bool = True
    num_samples_history: float = 2000.0
    alpha_in: float = 4.0
    alpha_out: float = 4.0
    rank_in: int = 20
    rank_out: int = 80

    @property
    def input_dim(self) -> int:
        return self.linear_params.shape[1] // len(self.time_offsets)

    @property
    def output_dim(self) -> int:
        return self.linear_params.shape[0]

    def taps(self) -> Taps:
        return Taps(tuple(int(t) for t in self.time_offsets))

    def natural_gradient(self) -> tuple[NaturalGradient, ...]:
        history = self.num_samples_history
        sides = ((self.rank_in, self.alpha_in), (self.rank_out, self.alpha_out))
        return tuple(NaturalGradient(r, 4, history, alpha=a) for r, a in sides) if self.use_natural_gradient else ()

    def _restore(self, values: dict[str, Any]) -> None:
        if "alpha" in values:
            values["alpha_in"] = values["alpha_out"] = values.pop("alpha")
        self.expect("alpha_in" in values, "expected <AlphaInOut>")
        super()._restore(values)

    def check(self) -> None:
        offsets = self.time_offsets
        self.expect(bool(offsets), "no time offsets")
        self.expect(len(set(offsets)) == len(offsets), "repeated time offsets")
        self.expect(self.linear_params.size > 0, "empty parameter matrix")
        self.expect(self.linear_params.shape[1] % len(offsets) == 0, "columns are no multiple of the number of offsets")
        self.expect(self.bias_params.size in (0, self.output_dim), "bias and linear parameters differ in dimension")

    def configure(self, keys: Keys) -> None:
        self.configure_rates(keys)
        offsets = keys.ints("time-offsets")
        if offsets is None:
            raise keys.error("time-offsets=... is missing")
        keys.expect(len(set(offsets)) == len(offsets), "repeated time-offsets")
        self.time_offsets = offsets
        output_dim, spliced = keys.positive("output-dim"), keys.positive("input-dim") * len(offsets)
        keys.expect_size(output_dim, spliced)
        stddev = keys.get("param-stddev", float, -1.0)
        self.linear_params = gaussian(output_dim, spliced, stddev=stddev if stddev >= 0 else 1.0 / math.sqrt(spliced))
        bias_mean, bias_stddev = keys.get("bias-mean", float, 0.0), keys.get("bias-stddev", float, 1.0)
        use_bias = keys.get("use-bias", bool, True)
        self.bias_params = gaussian(output_dim if use_bias else 0, mean=bias_mean, stddev=bias_stddev)
        self.orthonormal_constraint = keys.get("orthonormal-constraint", float, 0.0)
        self.use_natural_gradient = keys.get("use-natural-gradient", bool, True)
        self.rank_in = rank(keys, "rank-in", 20, spliced)
        self.rank_out = rank(keys, "rank-out", 80, output_dim)
        self.alpha_in = keys.get("alpha-in", float, 4.0)
        self.alpha_out = keys.get("alpha-out", float, 4.0)
        self.num_samples_history = keys.get("num-samples-history", float, 2000.0)

    def info(self) -> str:
        text = super().info()
        if self.orthonormal_constraint != 0.0:
            text += f", orthonormal-constraint={number(self.orthonormal_constraint)}"
        text += f", time-offsets={','.join(map(str, self.time_offsets))}"
        text += stats("linear-params", self.linear_params, norms=True)
        text += stats("bias", self.bias_params, True) if self.bias_params.size else ", has-bias=false"
        if not self.use_natural_gradient:
            return text + ", use-natural-gradient=false"
        return text + (
            f", rank-in={self.rank_in}, rank-out={self.rank_out}"
            f", num-samples-history={number(self.num_samples_history)}, update-period=4"
            f", alpha-in={number(self.alpha_in)}, alpha-out={number(self.alpha_out)}"
        )

"""y = W x + b, and W x alone (Kaldi: nnet3/nnet-simple-component.cc)."""

from __future__ import annotations

import math
from typing import ClassVar

import numpy as np

from nnet3_compat.components.base import UpdatableComponent
from nnet3_compat.components.config import Keys
from nnet3_compat.components.fields import BOOL, DOUBLE, FLOAT, INT, MATRIX, VECTOR, Field, legacy, nonzero
from nnet3_compat.components.natural_gradient import NaturalGradient
from nnet3_compat.components.randomness import gaussian
from nnet3_compat.components.summary import boolean, number, stats

_LINEAR = Field("<LinearParams>", MATRIX, "linear_params")
_BIAS = Field("<BiasParams>", VECTOR, "bias_params")
_ORTHONORMAL = Field("<OrthonormalConstraint>", FLOAT, "orthonormal_constraint", when=nonzero("orthonormal_constraint"))
_OLD_GRADIENT = legacy("<IsGradient>", BOOL, "is_gradient")


class AffineComponent(UpdatableComponent):
    """``linear_params`` [output, input] and ``bias_params`` [output], trained by plain SGD."""

    TYPE = "AffineComponent"
    FIELDS: ClassVar[tuple[Field, ...]] = (_LINEAR, _BIAS, _OLD_GRADIENT, _ORTHONORMAL)
    PARAMS = ("linear_params", "bias_params")
    is_affine = True

    linear_params: np.ndarray
    bias_params: np.ndarray
    orthonormal_constraint: float = 0.0

    @property
    def input_dim(self) -> int:
        return self.linear_params.shape[1]

    @property
    def output_dim(self) -> int:
        return self.linear_params.shape[0]

    def check(self) -> None:
        self.expect(self.linear_params.size > 0, "empty parameter matrix")
        self.expect(self.bias_params.size == self.output_dim, "bias and linear parameters differ in dimension")

    def configure(self, keys: Keys) -> None:
        self.configure_rates(keys)
        self._configure_parameters(keys)
        self.orthonormal_constraint = keys.get("orthonormal-constraint", float, 0.0)

    def _configure_parameters(self, keys: Keys, bias_mean: bool = False) -> None:
        matrix = keys.matrix("matrix")
        if matrix is not None:
            keys.expect(matrix.shape[1] >= 2, "the matrix must have at least two columns, the last is the bias")
            self.linear_params, self.bias_params = matrix[:, :-1].copy(), matrix[:, -1].copy()
            expect_dims(self, keys)
            return
        input_dim, output_dim = keys.positive("input-dim"), keys.positive("output-dim")
        keys.expect_size(output_dim, input_dim)
        stddev = keys.not_negative_or("param-stddev", 1.0 / math.sqrt(input_dim))
        bias_stddev = keys.get("bias-stddev", float, 1.0)
        mean = keys.get("bias-mean", float, 0.0) if bias_mean else 0.0
        self.linear_params = gaussian(output_dim, input_dim, stddev=stddev)
        self.bias_params = gaussian(output_dim, mean=mean, stddev=bias_stddev)

    def info(self) -> str:
        text = super().info()
        if self.orthonormal_constraint != 0.0:
            text += f", orthonormal-constraint={number(self.orthonormal_constraint)}"
        return text + stats("linear-params", self.linear_params, norms=True) + stats("bias", self.bias_params, True)


def expect_dims(component: AffineComponent | LinearComponent, keys: Keys) -> None:
    """With a matrix given, the dimensions may be repeated but must agree."""
    for key, dim in (("input-dim", component.input_dim), ("output-dim", component.output_dim)):
        keys.expect(keys.get(key, int, dim) == dim, f"{key} differs from the matrix, which has {dim}")


def configure_natural_gradient(component: NaturalGradientAffineComponent | LinearComponent, keys: Keys) -> None:
    """Takes the options of the preconditioners from a config line."""
    component.num_samples_history = keys.get("num-samples-history", float, 2000.0)
    component.alpha = keys.get("alpha", float, 4.0)
    component.rank_in = rank(keys, "rank-in", 20, component.input_dim)
    component.rank_out = rank(keys, "rank-out", 80, component.output_dim)
    component.update_period = keys.positive_or("update-period", 4)


def _both_sides(c: NaturalGradientAffineComponent | LinearComponent) -> tuple[NaturalGradient, ...]:
    return tuple(
        NaturalGradient(rank, c.update_period, c.num_samples_history, alpha=c.alpha) for rank in (c.rank_in, c.rank_out)
    )


def rank(keys: Keys, key: str, limit: int, dim: int) -> int:
    """The rank of a natural-gradient preconditioner: by default ``limit`` but at most half of the dimension."""
    value = keys.get(key, int, -1)
    keys.expect(value != 0, f"{key} must not be zero")
    return value if value > 0 else min(limit, (dim + 1) // 2)


class NaturalGradientAffineComponent(AffineComponent):
    """The same function, trained with natural gradient."""

    TYPE = "NaturalGradientAffineComponent"
    ENDS_WITH_OPENING_TOKEN = True
    FIELDS = (
        _LINEAR,
        _BIAS,
        Field("<RankIn>", INT, "rank_in"),
        Field("<RankOut>", INT, "rank_out"),
        _ORTHONORMAL,
        Field("<UpdatePeriod>", INT, "update_period"),
        Field("<NumSamplesHistory>", FLOAT, "num_samples_history"),
        Field("<Alpha>", FLOAT, "alpha"),
        legacy("<MaxChangePerSample>", FLOAT),
        _OLD_GRADIENT,
        legacy("<UpdateCount>", DOUBLE),
        legacy("<ActiveScalingCount>", DOUBLE),
        legacy("<MaxChangeScaleStats>", DOUBLE),
    )

    rank_in: int = 20
    rank_out: int = 80
    update_period: int = 4
    num_samples_history: float = 2000.0
    alpha: float = 4.0

    def configure(self, keys: Keys) -> None:
        self.configure_rates(keys)
        self._configure_parameters(keys, bias_mean=True)
        self.orthonormal_constraint = keys.get("orthonormal-constraint", float, 0.0)
        configure_natural_gradient(self, keys)

    def natural_gradient(self) -> tuple[NaturalGradient, ...]:
        return _both_sides(self)

    def info(self) -> str:
        return super().info() + natural_gradient_info(self)


class LinearComponent(UpdatableComponent):
    """``params`` [output, input] without bias, with natural gradient unless told otherwise."""

    TYPE = "LinearComponent"
    FIELDS = (
        Field("<Params>", MATRIX, "params"),
        _ORTHONORMAL,
        Field("<UseNaturalGradient>", BOOL, "use_natural_gradient"),
        Field("<RankInOut>", INT, "rank_in", "rank_out"),
        Field("<Alpha>", FLOAT, "alpha"),
        Field("<NumSamplesHistory>", FLOAT, "num_samples_history"),
        Field("<UpdatePeriod>", INT, "update_period"),
    )
    PARAMS = ("params",)
    is_affine = True

    params: np.ndarray
    orthonormal_constraint: float = 0.0
    use_natural_gradient: bool = True
    rank_in: int = 20
    rank_out: int = 80
    update_period: int = 4
    num_samples_history: float = 2000.0
    alpha: float = 4.0

    @property
    def input_dim(self) -> int:
        return self.params.shape[1]

    @property
    def output_dim(self) -> int:
        return self.params.shape[0]

    def check(self) -> None:
        self.expect(self.params.size > 0, "empty parameter matrix")

    def configure(self, keys: Keys) -> None:
        self.configure_rates(keys)
        matrix = keys.matrix("matrix")
        if matrix is not None:
            self.params = matrix
            expect_dims(self, keys)
        else:
            input_dim, output_dim = keys.positive("input-dim"), keys.positive("output-dim")
            keys.expect_size(output_dim, input_dim)
            stddev = keys.not_negative_or("param-stddev", 1.0 / math.sqrt(input_dim))
            self.params = gaussian(output_dim, input_dim, stddev=stddev)
        configure_natural_gradient(self, keys)
        self.use_natural_gradient = keys.get("use-natural-gradient", bool, True)
        self.orthonormal_constraint = keys.get("orthonormal-constraint", float, 0.0)

    def natural_gradient(self) -> tuple[NaturalGradient, ...]:
        return _both_sides(self) if self.use_natural_gradient else ()

    def info(self) -> str:
        text = super().info() + stats("params", self.params, norms=True)
        if self.orthonormal_constraint != 0.0:
            text += f", orthonormal-constraint={number(self.orthonormal_constraint)}"
        text += f", use-natural-gradient={boolean(self.use_natural_gradient)}"
        return text + natural_gradient_info(self)


def natural_gradient_info(component: NaturalGradientAffineComponent | LinearComponent) -> str:
    """What nnet3-info prints of the preconditioners."""
    return (
        f", rank-in={component.rank_in}, rank-out={component.rank_out}"
        f", num-samples-history={number(component.num_samples_history)}"
        f", update-period={component.update_period}, alpha={number(component.alpha)}"
    )

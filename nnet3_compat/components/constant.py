"""A trained vector that does not depend on the input (Kaldi: nnet-simple-component.cc, nnet-general-component.cc)."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from nnet3_compat.components.base import Component, UpdatableComponent
from nnet3_compat.components.config import Keys
from nnet3_compat.components.fields import BOOL, INT, VECTOR, Field
from nnet3_compat.components.natural_gradient import NaturalGradient
from nnet3_compat.components.randomness import gaussian
from nnet3_compat.components.summary import boolean, stats
from nnet3_compat.components.taps import Taps

_OUTPUT = (
    Field("<Output>", VECTOR, "output"),
    Field("<IsUpdatable>", BOOL, "is_updatable"),
    Field("<UseNaturalGradient>", BOOL, "use_natural_gradient"),
)


class ConstantComponent(UpdatableComponent):
    """``output`` [dim] at every index; reads no input."""

    TYPE = "ConstantComponent"
    FIELDS: ClassVar[tuple[Field, ...]] = _OUTPUT
    PARAMS = ("output",)

    output: np.ndarray
    is_updatable: bool = True
    use_natural_gradient: bool = True

    @property
    def input_dim(self) -> int:
        return self.output.size

    @property
    def output_dim(self) -> int:
        return self.output.size

    def taps(self) -> Taps | None:
        return Taps(())

    def natural_gradient(self) -> tuple[NaturalGradient, ...]:
        return (NaturalGradient(),) if self.use_natural_gradient else ()

    def check(self) -> None:
        self.expect(self.output.size > 0, "empty output")

    def configure(self, keys: Keys) -> None:
        self.configure_rates(keys)
        dim = keys.positive("output-dim")
        self.is_updatable = keys.get("is-updatable", bool, True)
        self.use_natural_gradient = keys.get("use-natural-gradient", bool, True)
        mean, stddev = keys.get("output-mean", float, 0.0), keys.get("output-stddev", float, 0.0)
        self.output = gaussian(dim, mean=mean, stddev=stddev)

    def scale(self, factor: float) -> None:
        if self.is_updatable:
            super().scale(factor)

    def add(self, alpha: float, other: Component) -> None:
        self._expect_same_type(other)
        if self.is_updatable:
            super().add(alpha, other)

    def info(self) -> str:
        return self._info(f"output-dim={self.output_dim}")

    def _info(self, dims: str) -> str:
        return (
            f"{super().info()}, {self.TYPE}, {dims}, is-updatable={boolean(self.is_updatable)}"
            f", use-natural-gradient={boolean(self.use_natural_gradient)}{stats('output', self.output, True)}"
        )


class ConstantFunctionComponent(ConstantComponent):
    """``output`` [dim] wherever there is an input of ``input_dim`` dimensions."""

    TYPE = "ConstantFunctionComponent"
    FIELDS = (Field("<InputDim>", INT, "input_dim"), *_OUTPUT)

    input_dim: int = -1

    def taps(self) -> None:
        return None

    def check(self) -> None:
        super().check()
        self.expect(self.input_dim > 0, "input-dim must be above zero")

    def configure(self, keys: Keys) -> None:
        super().configure(keys)
        self.input_dim = keys.positive("input-dim")

    def info(self) -> str:
        return self._info(f"input-dim={self.input_dim}, output-dim={self.output_dim}")

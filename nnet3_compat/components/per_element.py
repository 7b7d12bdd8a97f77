"""Trained scales and offsets, one for each dimension (Kaldi: nnet3/nnet-simple-component.cc)."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from nnet3_compat.components.base import UpdatableComponent
from nnet3_compat.components.config import Keys
from nnet3_compat.components.fields import BOOL, FLOAT, INT, VECTOR, Field, legacy
from nnet3_compat.components.natural_gradient import NaturalGradient
from nnet3_compat.components.randomness import gaussian
from nnet3_compat.components.summary import boolean, number, stats


def extreme(vector: np.ndarray, sign: int) -> str:
    """Smallest (-1) or largest (+1) element, as printed."""
    return number(sign * np.max(sign * vector)) if vector.size else number(-sign * np.inf)


class PerElementScaleComponent(UpdatableComponent):
    """Each dimension times ``scales`` [dim]."""

    TYPE = "PerElementScaleComponent"
    FIELDS: ClassVar[tuple[Field, ...]] = (
        Field("<Params>", VECTOR, "scales"),
        legacy("<IsGradient>", BOOL, "is_gradient"),
    )
    PARAMS = ("scales",)

    scales: np.ndarray

    @property
    def input_dim(self) -> int:
        return self.scales.size

    output_dim = input_dim

    def check(self) -> None:
        self.expect(self.scales.size > 0, "no scales")

    def configure(self, keys: Keys) -> None:
        self.configure_rates(keys)
        self._configure_scales(keys, "vector")

    def _configure_scales(self, keys: Keys, file_key: str) -> None:
        scales = keys.vector(file_key)
        if scales is None:
            dim = keys.positive("dim")
            mean, stddev = keys.get("param-mean", float, 1.0), keys.not_negative_or("param-stddev", 0.0)
            scales = gaussian(dim, mean=mean, stddev=stddev)
        else:
            keys.expect(
                keys.get("dim", int, scales.size) == scales.size, f"dim differs from the vector's {scales.size}"
            )
        self.scales = scales

    def info(self) -> str:
        text = f"{super().info()}, scales-min={extreme(self.scales, -1)}, scales-max={extreme(self.scales, 1)}"
        return text + stats("scales", self.scales, True)


class NaturalGradientPerElementScaleComponent(PerElementScaleComponent):
    """The same function, trained with natural gradient."""

    TYPE = "NaturalGradientPerElementScaleComponent"
    FIELDS = (
        Field("<Params>", VECTOR, "scales"),
        Field("<IsGradient>", BOOL, "is_gradient"),
        Field("<Rank>", INT, "rank"),
        Field("<UpdatePeriod>", INT, "update_period"),
        Field("<NumSamplesHistory>", FLOAT, "num_samples_history"),
        Field("<Alpha>", FLOAT, "alpha"),
        legacy("<MaxChangePerMinibatch>", FLOAT),
    )

    rank: int = 8
    update_period: int = 10
    num_samples_history: float = 2000.0
    alpha: float = 4.0

    def configure(self, keys: Keys) -> None:
        self.rank = keys.positive_or("rank", 8)
        self.update_period = keys.positive_or("update-period", 10)
        self.num_samples_history = keys.get("num-samples-history", float, 2000.0)
        self.alpha = keys.get("alpha", float, 4.0)
        self.configure_rates(keys)
        self._configure_scales(keys, "scales")

    def natural_gradient(self) -> tuple[NaturalGradient, ...]:
        return (NaturalGradient(self.rank, self.update_period, self.num_samples_history, alpha=self.alpha),)

    def info(self) -> str:
        return (
            f"{super().info()}, rank={self.rank}, update-period={self.update_period}"
            f", num-samples-history={number(self.num_samples_history)}, alpha={number(self.alpha)}"
        )


class PerElementOffsetComponent(UpdatableComponent):
    """Adds ``offsets``, repeated when they are fewer than ``dim``."""

    TYPE = "PerElementOffsetComponent"
    FIELDS = (
        Field("<Offsets>", VECTOR, "offsets"),
        legacy("<IsGradient>", BOOL, "is_gradient"),
        Field("<Dim>", INT, "dim", optional=True),
        Field("<UseNaturalGradient>", BOOL, "use_natural_gradient", optional=True),
    )
    PARAMS = ("offsets",)

    dim: int = -1
    offsets: np.ndarray
    use_natural_gradient: bool = True

    @property
    def input_dim(self) -> int:
        return self.dim

    output_dim = input_dim

    def check(self) -> None:
        if self.dim == -1:
            self.dim = self.offsets.size
        self.expect(self.offsets.size > 0 and self.dim > 0, "no offsets")
        self.expect(self.dim % self.offsets.size == 0, "the number of offsets must divide dim")

    def configure(self, keys: Keys) -> None:
        self.configure_rates(keys)
        offsets = keys.vector("vector")
        if offsets is not None:
            self.dim = keys.positive_or("dim", offsets.size)
        else:
            self.dim = keys.positive("dim")
            mean, stddev = keys.get("param-mean", float, 0.0), keys.get("param-stddev", float, 0.0)
            block_dim = keys.positive_or("block-dim", self.dim)
            keys.expect(self.dim % block_dim == 0, "block-dim must divide dim")
            offsets = gaussian(block_dim, mean=mean, stddev=stddev)
        self.offsets = offsets
        self.use_natural_gradient = keys.get("use-natural-gradient", bool, True)

    def natural_gradient(self) -> tuple[NaturalGradient, ...]:
        return (NaturalGradient(20, 4),) if self.use_natural_gradient else ()

    def info(self) -> str:
        text = (
            f"{super().info()}, offsets-min={extreme(self.offsets, -1)}, offsets-max={extreme(self.offsets, 1)}"
            f", block-dim={self.offsets.size}, use-natural-gradient={boolean(self.use_natural_gradient)}"
        )
        return text + stats("offsets", self.offsets, True)


class ScaleAndOffsetComponent(UpdatableComponent):
    """x * ``scales`` + ``offsets``, both repeated when they are fewer than ``dim``."""

    TYPE = "ScaleAndOffsetComponent"
    FIELDS = (
        Field("<Dim>", INT, "dim"),
        Field("<Scales>", VECTOR, "scales"),
        Field("<Offsets>", VECTOR, "offsets"),
        Field("<UseNaturalGradient>", BOOL, "use_natural_gradient"),
        Field("<Rank>", INT, "rank"),
    )
    PARAMS = ("scales", "offsets")

    dim: int = -1
    scales: np.ndarray
    offsets: np.ndarray
    use_natural_gradient: bool = True
    rank: int = 20

    @property
    def input_dim(self) -> int:
        return self.dim

    output_dim = input_dim

    def check(self) -> None:
        self.expect(
            self.scales.size > 0 and self.scales.size == self.offsets.size, "scales and offsets differ in number"
        )
        self.expect(self.dim > 0 and self.dim % self.scales.size == 0, "the number of scales must divide dim")

    def configure(self, keys: Keys) -> None:
        self.configure_rates(keys)
        self.dim = keys.positive("dim")
        self.use_natural_gradient = keys.get("use-natural-gradient", bool, True)
        block_dim = keys.positive_or("block-dim", self.dim)
        keys.expect(self.dim % block_dim == 0, "block-dim must divide dim")
        self.rank = keys.positive_or("rank", 20)
        self.scales, self.offsets = np.ones(block_dim, np.float32), np.zeros(block_dim, np.float32)

    def natural_gradient(self) -> tuple[NaturalGradient, ...]:
        return (NaturalGradient(self.rank, 4),) * 2 if self.use_natural_gradient else ()

    def info(self) -> str:
        text = f"{super().info()}, rank={self.rank}"
        if self.dim != self.scales.size:
            text += f", block-size={self.scales.size}"
        return text + stats("scales", self.scales, True) + stats("offsets", self.offsets, True)

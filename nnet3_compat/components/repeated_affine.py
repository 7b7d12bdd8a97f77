"""Affine maps on blocks of the input, shared or one for each (Kaldi: nnet3/nnet-simple-component.cc)."""

from __future__ import annotations

import math

import numpy as np

from nnet3_compat.components.base import UpdatableComponent
from nnet3_compat.components.config import Keys
from nnet3_compat.components.fields import BOOL, INT, MATRIX, VECTOR, Field, legacy
from nnet3_compat.components.natural_gradient import NaturalGradient
from nnet3_compat.components.randomness import gaussian
from nnet3_compat.components.summary import stats

_PARAMETERS = (
    Field("<LinearParams>", MATRIX, "linear_params"),
    Field("<BiasParams>", VECTOR, "bias_params"),
    legacy("<IsGradient>", BOOL, "is_gradient"),
)


class RepeatedAffineComponent(UpdatableComponent):
    """The same map on each of ``num_repeats`` blocks; ``linear_params`` is [output / repeats, input / repeats]."""

    TYPE = "RepeatedAffineComponent"
    FIELDS = (Field("<NumRepeats>", INT, "num_repeats"), *_PARAMETERS)
    PARAMS = ("linear_params", "bias_params")

    num_repeats: int = 1
    linear_params: np.ndarray
    bias_params: np.ndarray

    @property
    def input_dim(self) -> int:
        return self.linear_params.shape[1] * self.num_repeats

    @property
    def output_dim(self) -> int:
        return self.linear_params.shape[0] * self.num_repeats

    def check(self) -> None:
        self.expect(self.num_repeats > 0, "num-repeats must be above zero")
        self.expect(self.linear_params.size > 0, "empty parameter matrix")
        self.expect(self.bias_params.size == self.linear_params.shape[0], "bias and linear parameters differ")

    def configure(self, keys: Keys) -> None:
        self.configure_rates(keys)
        self.num_repeats = repeats = keys.positive("num-repeats")
        input_dim, output_dim = keys.positive("input-dim"), keys.positive("output-dim")
        keys.expect(input_dim % repeats == 0, "num-repeats must divide input-dim")
        keys.expect(output_dim % repeats == 0, "num-repeats must divide output-dim")
        keys.expect_size(output_dim // repeats, input_dim // repeats)
        stddev = keys.not_negative_or("param-stddev", 1.0 / math.sqrt(input_dim // repeats))
        mean, bias_stddev = keys.get("bias-mean", float, 0.0), keys.get("bias-stddev", float, 0.0)
        self.linear_params = gaussian(output_dim // repeats, input_dim // repeats, stddev=stddev)
        self.bias_params = gaussian(output_dim // repeats, mean=mean, stddev=bias_stddev)

    def info(self) -> str:
        text = f"{super().info()}, num-repeats={self.num_repeats}"
        return text + stats("linear-params", self.linear_params) + stats("bias", self.bias_params, True)

    def to_block_affine(self) -> BlockAffineComponent:
        """The same function with parameters of its own for each block (Kaldi: ConvertRepeatedToBlockAffine)."""
        return BlockAffineComponent(
            num_blocks=self.num_repeats,
            linear_params=np.tile(self.linear_params, (self.num_repeats, 1)),
            bias_params=np.tile(self.bias_params, self.num_repeats),
            learning_rate=self.learning_rate,
            learning_rate_factor=self.learning_rate_factor,
            l2_regularize=self.l2_regularize,
            is_gradient=self.is_gradient,
            max_change=self.max_change,
        )


class NaturalGradientRepeatedAffineComponent(RepeatedAffineComponent):
    """The same function, trained with natural gradient."""

    TYPE = "NaturalGradientRepeatedAffineComponent"

    def natural_gradient(self) -> tuple[NaturalGradient, ...]:
        return (NaturalGradient(max(1, min(40, self.linear_params.shape[1] // 2)), 4),)


class BlockAffineComponent(UpdatableComponent):
    """A map of its own for each of ``num_blocks`` blocks; ``linear_params`` is [output, input / blocks]."""

    TYPE = "BlockAffineComponent"
    FIELDS = (Field("<NumBlocks>", INT, "num_blocks"), *_PARAMETERS)
    PARAMS = ("linear_params", "bias_params")

    num_blocks: int = 1
    linear_params: np.ndarray
    bias_params: np.ndarray

    @property
    def input_dim(self) -> int:
        return self.linear_params.shape[1] * self.num_blocks

    @property
    def output_dim(self) -> int:
        return self.linear_params.shape[0]

    def check(self) -> None:
        self.expect(self.num_blocks > 0, "num-blocks must be above zero")
        self.expect(self.linear_params.size > 0, "empty parameter matrix")
        self.expect(self.linear_params.shape[0] % self.num_blocks == 0, "num-blocks must divide the output dimension")
        self.expect(self.bias_params.size == self.output_dim, "bias and linear parameters differ in dimension")

    def configure(self, keys: Keys) -> None:
        input_dim, output_dim = keys.positive("input-dim"), keys.positive("output-dim")
        self.num_blocks = blocks = keys.positive("num-blocks")
        self.configure_rates(keys)
        keys.expect(input_dim % blocks == 0, "num-blocks must divide input-dim")
        keys.expect(output_dim % blocks == 0, "num-blocks must divide output-dim")
        keys.expect_size(output_dim, input_dim // blocks)
        stddev = keys.not_negative_or("param-stddev", 1.0 / math.sqrt(input_dim // blocks))
        mean, bias_stddev = keys.get("bias-mean", float, 0.0), keys.not_negative_or("bias-stddev", 1.0)
        self.linear_params = gaussian(output_dim, input_dim // blocks, stddev=stddev)
        self.bias_params = gaussian(output_dim, mean=mean, stddev=bias_stddev)

    def info(self) -> str:
        text = f"{super().info()}, num-blocks={self.num_blocks}"
        return text + stats("linear-params", self.linear_params) + stats("bias", self.bias_params, True)

"""Affine map, scale and bias that training does not touch (Kaldi: nnet3/nnet-simple-component.cc)."""

from __future__ import annotations

import numpy as np

from nnet3_compat.components.base import Component
from nnet3_compat.components.config import Keys
from nnet3_compat.components.fields import MATRIX, VECTOR, Field
from nnet3_compat.components.randomness import gaussian
from nnet3_compat.components.summary import stats


class FixedAffineComponent(Component):
    """``linear_params`` [output, input], ``bias_params`` [output]; the LDA-like transform at the input, say."""

    TYPE = "FixedAffineComponent"
    FIELDS = (Field("<LinearParams>", MATRIX, "linear_params"), Field("<BiasParams>", VECTOR, "bias_params"))

    is_affine = True

    linear_params: np.ndarray
    bias_params: np.ndarray

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
        matrix = keys.matrix("matrix")
        if matrix is None:
            input_dim, output_dim = keys.positive("input-dim"), keys.positive("output-dim")
            keys.expect_size(output_dim, input_dim + 1)
            matrix = gaussian(output_dim, input_dim + 1)
        keys.expect(matrix.shape[1] > 1, "the matrix must have at least two columns, the last is the bias")
        self.linear_params, self.bias_params = matrix[:, :-1].copy(), matrix[:, -1].copy()

    def info(self) -> str:
        return super().info() + stats("linear-params", self.linear_params) + stats("bias", self.bias_params, True)


class FixedScaleComponent(Component):
    """Each dimension times its own constant, ``scales`` [dim]."""

    TYPE = "FixedScaleComponent"
    FIELDS = (Field("<Scales>", VECTOR, "scales"),)

    scales: np.ndarray

    @property
    def input_dim(self) -> int:
        return self.scales.size

    output_dim = input_dim

    def check(self) -> None:
        self.expect(self.scales.size > 0, "no scales")

    def configure(self, keys: Keys) -> None:
        scales = keys.vector("scales")
        if scales is None:
            dim = keys.positive("dim")
            scale = keys.get("scale", float, 1.0)
            scales = np.full(dim, scale, np.float32) if keys.has("scale") else gaussian(dim)
        self.scales = scales

    def info(self) -> str:
        return super().info() + stats("scales", self.scales, True)


class FixedBiasComponent(Component):
    """Each dimension plus its own constant, ``bias`` [dim]."""

    TYPE = "FixedBiasComponent"
    FIELDS = (Field("<Bias>", VECTOR, "bias"),)

    bias: np.ndarray

    @property
    def input_dim(self) -> int:
        return self.bias.size

    output_dim = input_dim

    def check(self) -> None:
        self.expect(self.bias.size > 0, "no bias")

    def configure(self, keys: Keys) -> None:
        bias = keys.vector("bias")
        self.bias = gaussian(keys.positive("dim")) if bias is None else bias

    def info(self) -> str:
        return super().info() + stats("bias", self.bias, True)

"""2-dimensional convolution of each frame for itself, the older kind (Kaldi: nnet3/nnet-combined-component.cc)."""

from __future__ import annotations

import math

import numpy as np

from nnet3_compat.components.base import UpdatableComponent
from nnet3_compat.components.config import MAX_DIM, Keys
from nnet3_compat.components.fields import BOOL, INT, MATRIX, VECTOR, Field
from nnet3_compat.components.randomness import gaussian
from nnet3_compat.components.summary import stats

_SIZES = (
    ("<InputXDim>", "input_x_dim"),
    ("<InputYDim>", "input_y_dim"),
    ("<InputZDim>", "input_z_dim"),
    ("<FiltXDim>", "filt_x_dim"),
    ("<FiltYDim>", "filt_y_dim"),
    ("<FiltXStep>", "filt_x_step"),
    ("<FiltYStep>", "filt_y_step"),
)
_ORDERS = ("yzx", "zyx")


class ConvolutionComponent(UpdatableComponent):
    """``filter_params`` [filters, filt_x_dim * filt_y_dim * input_z_dim], z fastest; ``bias_params`` [filters].

    ``input_vectorization`` 0 (yzx): y is the fastest index of the input, 1 (zyx): z is; x always the slowest. In the
    output the filter index is the fastest, then y, then x.
    """

    TYPE = "ConvolutionComponent"
    FIELDS = (
        *(Field(token, INT, name) for token, name in _SIZES),
        Field("<InputVectorization>", INT, "input_vectorization"),
        Field("<FilterParams>", MATRIX, "filter_params"),
        Field("<BiasParams>", VECTOR, "bias_params"),
        Field("<IsGradient>", BOOL, "is_gradient", optional=True),
    )
    PARAMS = ("filter_params", "bias_params")

    input_x_dim: int = 0
    input_y_dim: int = 0
    input_z_dim: int = 0
    filt_x_dim: int = 0
    filt_y_dim: int = 0
    filt_x_step: int = 0
    filt_y_step: int = 0
    input_vectorization: int = 1
    filter_params: np.ndarray
    bias_params: np.ndarray

    @property
    def input_dim(self) -> int:
        return self.input_x_dim * self.input_y_dim * self.input_z_dim

    @property
    def num_x_steps(self) -> int:
        """Positions of the filter along x."""
        return 1 + (self.input_x_dim - self.filt_x_dim) // self.filt_x_step

    @property
    def num_y_steps(self) -> int:
        """Positions of the filter along y."""
        return 1 + (self.input_y_dim - self.filt_y_dim) // self.filt_y_step

    @property
    def output_dim(self) -> int:
        return self.num_x_steps * self.num_y_steps * self.filter_params.shape[0]

    @property
    def _filter_size(self) -> int:
        return self.filt_x_dim * self.filt_y_dim * self.input_z_dim

    def _check_sizes(self) -> None:
        for _, name in _SIZES:
            self.expect(getattr(self, name) > 0, f"{name.replace('_', '-')} must be above zero")
        for axis in "xy":
            dim, size, step = (
                getattr(self, f"{n}") for n in (f"input_{axis}_dim", f"filt_{axis}_dim", f"filt_{axis}_step")
            )
            self.expect(dim >= size and (dim - size) % step == 0, f"{axis}: the filter does not fit the input")
        self.expect(max(self.input_dim, self._filter_size) <= MAX_DIM, "the dimensions are too large")
        self.expect(self.input_vectorization in (0, 1), "unknown order of the input")

    def check(self) -> None:
        self._check_sizes()
        self.expect(self.filter_params.size > 0, "no filters")
        self.expect(self.filter_params.shape[1] == self._filter_size, f"filters must have {self._filter_size} columns")
        self.expect(self.bias_params.size == self.filter_params.shape[0], "bias and filters differ in number")

    def configure(self, keys: Keys) -> None:
        self.configure_rates(keys)
        for _, name in _SIZES:
            setattr(self, name, keys.positive(name.replace("_", "-")))
        order = keys.get("input-vectorization-order", str, "zyx")
        keys.expect(order in _ORDERS, f"input-vectorization-order must be yzx or zyx, not {order!r}")
        self.input_vectorization = _ORDERS.index(order)
        self._check_sizes()
        size = self._filter_size
        matrix = keys.matrix("matrix")
        if matrix is not None:
            keys.expect(matrix.shape[1] == size + 1, f"the matrix must have {size + 1} columns, the last is the bias")
            self.filter_params, self.bias_params = matrix[:, :-1].copy(), matrix[:, -1].copy()
            return
        filters = keys.positive("num-filters")
        keys.expect_size(filters, size)
        stddev = keys.not_negative_or("param-stddev", 1.0 / math.sqrt(size))
        self.filter_params = gaussian(filters, size, stddev=stddev)
        self.bias_params = gaussian(filters, stddev=keys.not_negative_or("bias-stddev", 1.0))

    def info(self) -> str:
        sizes = "".join(f", {name.replace('_', '-')}={getattr(self, name)}" for _, name in _SIZES)
        text = f"{super().info()}{sizes}, input-vectorization={self.input_vectorization}"
        text += f", num-filters={self.filter_params.shape[0]}"
        return text + stats("filter-params", self.filter_params) + stats("bias-params", self.bias_params, True)

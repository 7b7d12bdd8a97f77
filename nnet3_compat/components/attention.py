"""Multi-head attention over a window of frames (Kaldi: nnet3/nnet-attention-component.cc)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from nnet3_compat.components.base import Component
from nnet3_compat.components.config import MAX_DIM, Keys
from nnet3_compat.components.fields import BOOL, DOUBLE, DOUBLE_MATRIX, DOUBLE_VECTOR, FLOAT, INT, Field
from nnet3_compat.components.statistics import MAX_CONTEXT
from nnet3_compat.components.summary import boolean, number
from nnet3_compat.components.taps import Taps


class RestrictedAttentionComponent(Component):
    """Per head, input (key, value, query), output (weighted values, weights); the weights if ``output_context``.

    The query is ``key_dim + context_dim`` wide: its last part scores the relative positions. ``entropy_stats`` [heads]
    and ``posterior_stats`` [heads, context_dim] are sums over ``stats_count`` frames, empty before training.
    """

    TYPE = "RestrictedAttentionComponent"
    FIELDS = (
        Field("<NumHeads>", INT, "num_heads"),
        Field("<KeyDim>", INT, "key_dim"),
        Field("<ValueDim>", INT, "value_dim"),
        Field("<NumLeftInputs>", INT, "num_left_inputs"),
        Field("<NumRightInputs>", INT, "num_right_inputs"),
        Field("<TimeStride>", INT, "time_stride"),
        Field("<NumLeftInputsRequired>", INT, "num_left_inputs_required"),
        Field("<NumRightInputsRequired>", INT, "num_right_inputs_required"),
        Field("<OutputContext>", BOOL, "output_context"),
        Field("<KeyScale>", FLOAT, "key_scale"),
        Field("<StatsCount>", DOUBLE, "stats_count"),
        Field("<EntropyStats>", DOUBLE_VECTOR, "entropy_stats"),
        Field("<PosteriorStats>", DOUBLE_MATRIX, "posterior_stats"),
    )
    STATS = ("entropy_stats", "posterior_stats", "stats_count")

    num_heads: int = 1
    key_dim: int = -1
    value_dim: int = -1
    num_left_inputs: int = -1
    num_right_inputs: int = -1
    time_stride: int = 1
    num_left_inputs_required: int = -1
    num_right_inputs_required: int = -1
    output_context: bool = True
    key_scale: float = -1.0
    stats_count: float = 0.0
    entropy_stats: np.ndarray
    posterior_stats: np.ndarray

    def __init__(self, **attributes: Any) -> None:
        self.entropy_stats, self.posterior_stats = np.zeros(0), np.zeros((0, 0))
        super().__init__(**attributes)

    @property
    def context_dim(self) -> int:
        """Number of input times."""
        return self.num_left_inputs + 1 + self.num_right_inputs

    @property
    def input_dim(self) -> int:
        return self.num_heads * (2 * self.key_dim + self.value_dim + self.context_dim)

    @property
    def output_dim(self) -> int:
        return self.num_heads * (self.value_dim + (self.context_dim if self.output_context else 0))

    def taps(self) -> Taps:
        every = range(-self.num_left_inputs, self.num_right_inputs + 1)
        needed = range(-self.num_left_inputs_required, self.num_right_inputs_required + 1)
        return Taps(tuple(self.time_stride * i for i in every), tuple(i in needed for i in every))

    def check(self) -> None:
        left, right = self.num_left_inputs, self.num_right_inputs
        self.expect(
            min(self.num_heads, self.key_dim, self.value_dim) > 0, "num-heads, key-dim, value-dim must be above 0"
        )
        self.expect(min(left, right) >= 0 < left + right <= MAX_CONTEXT, "inputs must not be negative, nor both zero")
        self.expect(self.time_stride > 0, "time-stride must be above zero")
        self.expect(0 <= self.num_left_inputs_required <= left, "num-left-inputs-required is out of range")
        self.expect(0 <= self.num_right_inputs_required <= right, "num-right-inputs-required is out of range")
        self.expect(0.0 < self.key_scale <= 1.0, "key-scale must be between 0 and 1")
        self.expect(max(self.input_dim, self.output_dim) <= MAX_DIM, "the dimensions are too large")
        self.expect(self.entropy_stats.size in (0, self.num_heads), "entropy statistics have the wrong dimension")
        shapes = ((0, 0), (self.num_heads, self.context_dim))
        self.expect(self.posterior_stats.shape in shapes, "posterior statistics have the wrong dimensions")

    def configure(self, keys: Keys) -> None:
        self.key_dim, self.value_dim = keys.positive("key-dim"), keys.positive("value-dim")
        self.num_left_inputs = keys.need("num-left-inputs", int)
        self.num_right_inputs = keys.need("num-right-inputs", int)
        self.num_heads = keys.positive_or("num-heads", 1)
        self.time_stride = keys.positive_or("time-stride", 1)
        left = keys.get("num-left-inputs-required", int, -1)
        right = keys.get("num-right-inputs-required", int, -1)
        self.num_left_inputs_required = left if left >= 0 else self.num_left_inputs
        self.num_right_inputs_required = right if right >= 0 else self.num_right_inputs
        self.output_context = keys.get("output-context", bool, True)
        self.key_scale = keys.get("key-scale", float, -1.0)
        if self.key_scale < 0.0:
            self.key_scale = float(np.float32(1.0 / math.sqrt(self.key_dim)))

    def info(self) -> str:
        text = (
            f"{super().info()}, num-heads={self.num_heads}, time-stride={self.time_stride}, key-dim={self.key_dim}"
            f", value-dim={self.value_dim}, num-left-inputs={self.num_left_inputs}"
            f", num-right-inputs={self.num_right_inputs}, context-dim={self.context_dim}"
            f", num-left-inputs-required={self.num_left_inputs_required}"
            f", num-right-inputs-required={self.num_right_inputs_required}"
            f", output-context={boolean(self.output_context)}, key-scale={number(self.key_scale)}"
        )
        if self.stats_count != 0.0:
            entropy = self.entropy_stats / self.stats_count
            text += ", entropy=" + "".join(f"{number(value)}," for value in entropy)
            for head, row in enumerate(self.posterior_stats[:5] / self.stats_count):
                text += f" posterior-stats[{head}]=" + "".join(f"{number(value)}," for value in row)
            text += f" stats-count={number(self.stats_count)}"
        return text

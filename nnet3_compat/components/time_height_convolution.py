"""Convolution over time and height (Kaldi: nnet3/nnet-convolutional-component.cc, convolution.cc)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from nnet3_compat.components.base import UpdatableComponent
from nnet3_compat.components.config import MAX_DIM, Keys
from nnet3_compat.components.fields import BOOL, FLOAT, INT, INTS, MATRIX, PAIRS, VECTOR, Field, marker
from nnet3_compat.components.natural_gradient import NaturalGradient
from nnet3_compat.components.randomness import gaussian
from nnet3_compat.components.summary import number, stats
from nnet3_compat.components.taps import Taps


class TimeHeightConvolutionComponent(UpdatableComponent):
    """``linear_params`` [num_filters_out, len(offsets) * num_filters_in], offset by offset; ``bias_params`` [out].

    An input frame is [height_in, num_filters_in], an output frame [height_out, num_filters_out], filter fastest.
    ``offsets`` are (time, height) pairs: output height h at time t sums over inputs at t + time offset and height
    h * height_subsample_out + height offset; heights outside of the input are zero, times that are not in
    ``required_time_offsets`` are zero where the input does not exist.
    """

    TYPE = "TimeHeightConvolutionComponent"
    FIELDS = (
        marker("<Model>"),
        marker("<ConvolutionModel>"),
        Field("<NumFiltersIn>", INT, "num_filters_in"),
        Field("<NumFiltersOut>", INT, "num_filters_out"),
        Field("<HeightIn>", INT, "height_in"),
        Field("<HeightOut>", INT, "height_out"),
        Field("<HeightSubsampleOut>", INT, "height_subsample_out"),
        Field("<Offsets>", PAIRS, "offsets"),
        Field("<RequiredTimeOffsets>", INTS, "required_time_offsets"),
        marker("</ConvolutionModel>"),
        Field("<LinearParams>", MATRIX, "linear_params"),
        Field("<BiasParams>", VECTOR, "bias_params"),
        Field("<MaxMemoryMb>", FLOAT, "max_memory_mb"),
        Field("<UseNaturalGradient>", BOOL, "use_natural_gradient"),
        Field("<NumMinibatchesHistory>", FLOAT, "num_minibatches_history"),
        Field("<AlphaInOut>", FLOAT, "alpha_in", "alpha_out"),
        Field("<RankInOut>", INT, "rank_in", "rank_out"),
    )
    PARAMS = ("linear_params", "bias_params")

    num_filters_in: int = 0
    num_filters_out: int = 0
    height_in: int = 0
    height_out: int = 0
    height_subsample_out: int = 1
    offsets: list[tuple[int, int]]
    required_time_offsets: list[int]
    linear_params: np.ndarray
    bias_params: np.ndarray
    max_memory_mb: float = 200.0
    use_natural_gradient: bool = True
    num_minibatches_history: float = 4.0
    alpha_in: float = 4.0
    alpha_out: float = 4.0
    rank_in: int = 80
    rank_out: int = 80

    @property
    def input_dim(self) -> int:
        return self.num_filters_in * self.height_in

    @property
    def output_dim(self) -> int:
        return self.num_filters_out * self.height_out

    @property
    def all_time_offsets(self) -> list[int]:
        """Sorted, each once."""
        return sorted({time for time, _ in self.offsets})

    def taps(self) -> Taps:
        offsets, needed = self.all_time_offsets, set(self.required_time_offsets)
        return Taps(tuple(offsets), tuple(t in needed for t in offsets))

    def natural_gradient(self) -> tuple[NaturalGradient, ...]:
        if not self.use_natural_gradient:
            return ()
        sides = ((self.rank_in, self.alpha_in), (self.rank_out, self.alpha_out))
        return tuple(
            NaturalGradient(rank, num_minibatches_history=self.num_minibatches_history, alpha=alpha)
            for rank, alpha in sides
        )

    def _restore(self, values: dict[str, Any]) -> None:
        super()._restore(values)
        self.offsets = [(int(time), int(height)) for time, height in values["offsets"]]
        self.required_time_offsets = sorted(set(values["required_time_offsets"]))

    def _check_model(self) -> None:
        sizes = (self.num_filters_in, self.num_filters_out, self.height_in, self.height_out, self.height_subsample_out)
        self.expect(min(sizes) > 0, "filters, heights and height subsampling must be above zero")
        self.expect(max(self.input_dim, self.output_dim) <= MAX_DIM, "the dimensions are too large")
        self.expect(bool(self.offsets and self.required_time_offsets), "no offsets")
        self.expect(self.offsets == sorted(set(self.offsets)), "offsets must be sorted and different")
        required = set(self.required_time_offsets)
        self.expect(required <= set(self.all_time_offsets), "required time offsets that are no offsets")
        self._check_heights([h for t, h in self.offsets if t in required])

    def _check_heights(self, required: list[int]) -> None:
        """Each offset must be of use somewhere, each output height must see an input at a required time."""
        step, top = self.height_subsample_out, self.height_in
        for _, offset in self.offsets:
            # The first h = k * step >= -offset is the lowest output height that sees an input, if it is in range.
            first = max(0, -(offset // step) if offset < 0 else 0)
            used = first < self.height_out and first * step + offset < top
            self.expect(used, f"height offset {offset} is never used")
        # Output k is seen through offset o when 0 <= k * step + o < height_in: a range of k for each o.
        end = 0  # output heights below this one are covered
        for first, last in sorted((max(0, -(o // step)), (top - 1 - o) // step) for o in set(required)):
            if first > end:
                break
            end = max(end, last + 1)
        self.expect(end >= self.height_out, "an output height sees no input at the required times")

    def check(self) -> None:
        self._check_model()
        shape = (self.num_filters_out, self.num_filters_in * len(self.offsets))
        self.expect(self.linear_params.shape == shape, f"parameters are {self.linear_params.shape} instead of {shape}")
        self.expect(self.bias_params.size == self.num_filters_out, "bias and filters differ in number")

    def configure(self, keys: Keys) -> None:
        self.configure_rates(keys)
        for key in ("num-filters-in", "num-filters-out", "height-in", "height-out"):
            setattr(self, key.replace("-", "_"), keys.positive(key))
        self.height_subsample_out = keys.positive_or("height-subsample-out", 1)
        self.max_memory_mb = keys.get("max-memory-mb", float, 200.0)
        keys.expect(self.max_memory_mb > 0.0, "max-memory-mb must be above zero")
        self.offsets = _configured_offsets(keys)
        required = (
            keys.ints("required-time-offsets") if keys.get("required-time-offsets", str, "undef") != "undef" else None
        )
        self.required_time_offsets = self.all_time_offsets if required is None else required
        keys.expect(_is_increasing(self.required_time_offsets), "required-time-offsets must be sorted and different")
        self._check_model()
        self._configure_parameters(keys)

    def _configure_parameters(self, keys: Keys) -> None:
        rows, columns = self.num_filters_out, self.num_filters_in * len(self.offsets)
        keys.expect_size(rows, columns)
        stddev, bias_stddev = keys.get("param-stddev", float, -1.0), keys.get("bias-stddev", float, 0.0)
        if keys.get("init-unit", bool, False):
            self.linear_params = self._unit_parameters(keys)
        else:
            self.linear_params = gaussian(rows, columns, stddev=stddev if stddev >= 0.0 else 1.0 / math.sqrt(columns))
        self.bias_params = gaussian(rows, stddev=bias_stddev)
        self.use_natural_gradient = keys.get("use-natural-gradient", bool, True)
        for key, dim in (("rank-in", columns + 1), ("rank-out", rows)):
            rank = keys.get(key, int, -1)
            keys.expect(rank != 0, f"{key} must not be zero")
            setattr(self, key.replace("-", "_"), rank if rank > 0 else min(80, (dim + 1) // 2))
        self.alpha_in, self.alpha_out = keys.get("alpha-in", float, 4.0), keys.get("alpha-out", float, 4.0)
        self.num_minibatches_history = keys.get("num-minibatches-history", float, 4.0)

    def _unit_parameters(self, keys: Keys) -> np.ndarray:
        """Parameters that copy the input."""
        filters = self.num_filters_in
        keys.expect(filters == self.num_filters_out, "init-unit needs as many filters out as in")
        keys.expect((0, 0) in self.offsets, "init-unit needs the offset 0,0")
        matrix = np.zeros((filters, filters * len(self.offsets)), np.float32)
        start = filters * self.offsets.index((0, 0))
        matrix[:, start : start + filters] = np.eye(filters)
        return matrix

    def info(self) -> str:
        offsets = " ".join(f"{time},{height}" for time, height in self.offsets)
        text = (
            f"{super().info()} num-filters-in={self.num_filters_in}, num-filters-out={self.num_filters_out}"
            f", height-in={self.height_in}, height-out={self.height_out}"
            f", height-subsample-out={self.height_subsample_out}, {{time,height}}-offsets=[{offsets}]"
            f", required-time-offsets=[{','.join(map(str, self.required_time_offsets))}]"
            f", input-dim={self.input_dim}, output-dim={self.output_dim}"
        )
        text += stats("filter-params", self.linear_params) + stats("bias-params", self.bias_params, True)
        text += (
            f", num-params={self.num_parameters}, max-memory-mb={number(self.max_memory_mb)}"
            f", use-natural-gradient={int(self.use_natural_gradient)}"
        )
        if self.use_natural_gradient:
            text += (
                f", num-minibatches-history={number(self.num_minibatches_history)}, rank-in={self.rank_in}"
                f", rank-out={self.rank_out}, alpha={number(self.alpha_in)}"
            )
        return text


def _is_increasing(values: list[int]) -> bool:
    return all(a < b for a, b in zip(values, values[1:], strict=False))


def _configured_offsets(keys: Keys) -> list[tuple[int, int]]:
    """Either ``offsets=t,h;t,h;...`` or all pairs of ``time-offsets`` and ``height-offsets``."""
    text = keys.get("offsets", str, "")
    if text:
        try:
            pairs = [tuple(int(n) for n in pair.split(",")) for pair in text.split(";")]
        except ValueError:
            pairs = [()]
        keys.expect(all(len(pair) == 2 for pair in pairs), f"offsets must look like -1,0;0,0;1,0, not {text!r}")
        keys.expect(len(set(pairs)) == len(pairs), "repeated offsets")
        return [(pair[0], pair[1]) for pair in sorted(pairs)]
    heights, times = keys.ints("height-offsets"), keys.ints("time-offsets")
    if heights is None or times is None:
        raise keys.error("either offsets=... or both height-offsets=... and time-offsets=... are needed")
    keys.expect(_is_increasing(heights) and _is_increasing(times), "the offsets must be sorted and different")
    keys.expect(len(heights) * len(times) <= 10_000_000, "too many offsets")
    return [(time, height) for time in times for height in heights]

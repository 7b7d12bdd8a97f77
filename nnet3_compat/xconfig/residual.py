"""Residual blocks of convolutions over time and height, with or without a bottleneck."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from nnet3_compat.xconfig.layer import Layer, Options

_OPTIONS: Options = {
    "input": "[-1]", "height": -1, "num-filters": -1, "num-bottleneck-filters": -1, "time-period": 1,
    "self-repair-scale": 2.0e-05, "self-repair-lower-threshold1": 0.05, "self-repair-lower-threshold2": 0.05,
    "self-repair-lower-threshold3": 0.05, "max-change": 0.75, "allow-zero-padding": True, "param-stddev": "",
    "bias-stddev": "", "use-natural-gradient": "", "rank-in": "", "rank-out": "", "num-minibatches-history": "",
    "alpha-in": "", "alpha-out": "", "l2-regularize": "",
}  # fmt: skip


class _Block(Layer):
    @property
    def _convolutions(self) -> int:
        return 3 if self.has_bottleneck else 2

    @property
    def has_bottleneck(self) -> bool:
        return bool(self.config["num-bottleneck-filters"] > 0)

    def _common_checks(self) -> None:
        bottleneck = self.config["num-bottleneck-filters"]
        self.expect(bottleneck > 0 or bottleneck == -1, "num-bottleneck-filters must be positive, or -1 for none")
        for key in ("time-period", "height-period"):
            self.expect(self.config.get(key, 1) > 0, f"{key} must be positive")

    def _filters_of_height(self, height: int) -> int:
        self.expect(height > 0, "the height must be given and positive")
        self.expect(self.input_dim % height == 0, f"the input's {self.input_dim} is no multiple of the height {height}")
        return self.input_dim // height

    def _relu(self, n: int, filters: int, height: int, source: str) -> Iterator[str]:
        threshold = self.config[f"self-repair-lower-threshold{n}"]
        kind = (
            f"RectifiedLinearComponent dim={filters * height} block-dim={filters} "
            f"self-repair-scale={self.config['self-repair-scale']} self-repair-lower-threshold={threshold}"
        )
        yield from self.part(f"relu{n}", kind, source)

    def _batchnorm(self, n: int, filters: int, height: int, source: str) -> Iterator[str]:
        kind = f"BatchNormComponent dim={filters * height} block-dim={filters}"
        yield from self.part(f"batchnorm{n}", kind, source, gap="  ")

    def _convolution(self, name: str, shape: str, source: str) -> Iterator[str]:
        options = self.given(
            "param-stddev", "bias-stddev", "use-natural-gradient", "max-change", "rank-in", "rank-out",
            "num-minibatches-history", "alpha-in", "alpha-out", "l2-regularize",
        )  # fmt: skip
        yield from self.part(name, f"TimeHeightConvolutionComponent {shape}{options}", source)

    @property
    def _padding(self) -> str:
        return "required-time-offsets=0" if self.config["allow-zero-padding"] else ""


def _around(period: int) -> str:
    return f"-{period},0,{period}"


class ResBlock(_Block):
    """ReLU, batch norm and convolution, two or three times, added to the input (He et al., arXiv:1603.05027)."""

    TYPES = ("res-block",)
    OPTIONS: ClassVar[Options] = {**_OPTIONS, "height-period": 1, "bypass-source": "noop"}

    def derive(self) -> None:
        filters = self._filters_of_height(self.config["height"])
        if self.config["num-filters"] == -1:
            self.config["num-filters"] = filters
        self.expect(
            self.config["num-filters"] == filters,
            f"height times num-filters must be the input's dimension {self.input_dim}",
        )

    def check(self) -> None:
        self._common_checks()
        sources = ("input", "noop", "relu", "batchnorm")
        self.expect(self.config["bypass-source"] in sources, f"bypass-source must be one of {', '.join(sources)}")

    def output_name(self, auxiliary: str | None = None) -> str:
        source = self.config["bypass-source"]
        if source == "noop":
            return f"{self.name}.noop"
        residual = self.input if source == "input" else f"{self.name}.{source}1"
        return f"Sum({self.name}.conv{self._convolutions}, {residual})"

    def lines(self) -> Iterator[str]:
        config, name, node = self.config, self.name, self.input
        height, filters = config["height"], config["num-filters"]
        for n in range(1, self._convolutions + 1):
            yield from self._relu(n, filters, height, node)
            yield from self._batchnorm(n, filters, height, f"{name}.relu{n}")
            is_wide = not self.has_bottleneck or n == 2
            is_last = not self.has_bottleneck or n == 3
            output_filters = config["num-filters"] if is_last else config["num-bottleneck-filters"]
            shape = (
                f"height-in={height} height-out={height} "
                f"height-offsets={_around(config['height-period']) if is_wide else 0} "
                f"time-offsets={_around(config['time-period']) if is_wide else 0} "
                f"num-filters-in={filters} num-filters-out={output_filters} {self._padding}"
            )
            yield from self._convolution(f"conv{n}", shape, f"{name}.batchnorm{n}")
            node, filters = f"{name}.conv{n}", output_filters
        if config["bypass-source"] == "noop":
            yield f"component name={name}.noop dim={self.input_dim} type=NoOpComponent"
            yield f"component-node name={name}.noop component={name}.noop input=Sum({self.input}, {node})"


class Res2Block(_Block):
    """Convolution, batch norm, scale and ReLU, two or three times, and a sum before the last ReLU (arXiv:1512.03385).

    Where the height is halved or the number of filters changes, a convolution of size one stands in the bypass.
    """

    TYPES = ("res2-block",)
    OPTIONS: ClassVar[Options] = {**_OPTIONS, "height-in": -1, "height-out": -1}

    def derive(self) -> None:
        config = self.config
        heights = (config["height-in"], config["height-out"])
        self.expect(
            min(heights) > 0 or (config["height"] > 0 and heights == (-1, -1)),
            "either height or both height-in and height-out must be given",
        )
        if min(heights) <= 0:
            config["height-in"] = config["height-out"] = config["height"]

    def check(self) -> None:
        self._common_checks()
        config = self.config
        height_in, height_out = config["height-in"], config["height-out"]
        self._filters_of_height(height_in)
        self.expect(config["num-filters"] > 0, "num-filters must be given and positive")
        if self._subsampling == 1:
            return
        self.expect(
            height_in / 2 - 1 <= height_out <= height_in / 2 + 1, "height-out must be height-in or about half of it"
        )
        self.expect(
            self.has_bottleneck or config["time-period"] % 2 == 0, "time-period must be even where height is halved"
        )

    @property
    def _subsampling(self) -> int:
        return 1 if self.config["height-in"] == self.config["height-out"] else 2

    def output_name(self, auxiliary: str | None = None) -> str:
        return f"{self.name}.relu{self._convolutions}"

    def output_dim(self, auxiliary: str | None = None) -> int:
        return int(self.config["height-out"] * self.config["num-filters"])

    def _shape(self, n: int, height: int, filters: int, output_filters: int) -> str:
        config, subsampling = self.config, self._subsampling if n == 1 else 1
        heights = f"height-in={height} height-out={config['height-out']}"
        filter_counts = f"num-filters-in={filters} num-filters-out={output_filters}"
        if self.has_bottleneck:
            return (
                f"{heights} height-offsets={_around(1) if n == 2 else 0} "
                f"time-offsets={_around(config['time-period']) if n == 2 else 0} "
                f"{filter_counts} height-subsample-out={subsampling} {self._padding}"
            )
        period = config["time-period"] // subsampling
        return (
            f"{heights} height-offsets={_around(1)} height-subsample-out={subsampling} "
            f"time-offsets={_around(period)} {filter_counts} {self._padding}"
        )

    def lines(self) -> Iterator[str]:
        config, name, node = self.config, self.name, self.input
        input_filters = filters = self.input_dim // config["height-in"]
        height = config["height-in"]
        needs_convolution = self._subsampling == 2 or filters != config["num-filters"]
        bypass = f"{name}.conv_bypass" if needs_convolution else self.input
        last = self._convolutions
        for n in range(1, last + 1):
            narrow = self.has_bottleneck and n < last
            output_filters = config["num-bottleneck-filters"] if narrow else config["num-filters"]
            yield from self._convolution(f"conv{n}", self._shape(n, height, filters, output_filters), node)
            height, filters = config["height-out"], output_filters
            yield from self._batchnorm(n, filters, height, f"{name}.conv{n}")
            kind = f"ScaleAndOffsetComponent dim={filters * height} block-dim={filters}"
            yield from self.part(f"scaleoffset{n}", kind, f"{name}.batchnorm{n}", gap="  ")
            scaled = f"{name}.scaleoffset{n}"
            yield from self._relu(n, filters, height, f"Sum({scaled}, {bypass})" if n == last else scaled)
            node = f"{name}.relu{n}"
        if needs_convolution:
            shape = (
                f"height-in={config['height-in']} height-out={config['height-out']} height-offsets=0 time-offsets=0 "
                f"height-subsample-out={self._subsampling} "
                f"num-filters-in={input_filters} num-filters-out={config['num-filters']}"
            )
            yield from self._convolution("conv_bypass", shape, self.input)

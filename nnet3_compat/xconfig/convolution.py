"""Convolutions over time and height, and what the layer's type puts around them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from nnet3_compat.xconfig.layer import Layer, Options


def increasing(text: str) -> bool:
    """Whether a text is a list of integers such as -1,0,1, each greater than the one before."""
    try:
        numbers = [int(part) for part in text.split(",")]
    except ValueError:
        return False
    return all(a < b for a, b in zip(numbers, numbers[1:], strict=False))


class ConvLayer(Layer):
    """A convolution over time and height, with ReLU and normalization in the order of its name."""

    TYPES = (
        "relu-conv-layer", "conv-layer", "conv-relu-layer", "conv-renorm-layer", "relu-conv-renorm-layer",
        "batchnorm-conv-layer", "conv-relu-renorm-layer", "batchnorm-conv-relu-layer", "relu-batchnorm-conv-layer",
        "relu-batchnorm-noconv-layer", "relu-noconv-layer", "conv-relu-batchnorm-layer", "conv-relu-batchnorm-so-layer",
        "conv-relu-batchnorm-dropout-layer", "conv-relu-dropout-layer",
    )  # fmt: skip
    OPTIONS: ClassVar[Options] = {
        "input": "[-1]", "height-in": -1, "height-subsample-out": 1, "height-out": -1, "height-offsets": "",
        "num-filters-out": -1, "time-offsets": "", "required-time-offsets": "", "target-rms": 1.0,
        "self-repair-scale": 2.0e-05, "self-repair-lower-threshold": 0.05, "param-stddev": "", "bias-stddev": "",
        "max-change": 0.75, "learning-rate-factor": "", "use-natural-gradient": "", "rank-in": "", "rank-out": "",
        "num-minibatches-history": "", "alpha-in": "", "alpha-out": "", "l2-regularize": "", "dropout-proportion": 0.5,
    }  # fmt: skip

    def derive(self) -> None:
        height = self.config["height-in"]
        self.expect(height > 0, "height-in must be given")
        self.expect(self.input_dim % height == 0, f"the input's {self.input_dim} is no multiple of height-in={height}")
        self.config["num-filters-in"] = self.input_dim // height

    def check(self) -> None:
        config = self.config
        subsample, height_in, height_out = config["height-subsample-out"], config["height-in"], config["height-out"]
        heights = f"height-in={height_in}, height-out={height_out}, height-subsample-out={subsample}"
        self.expect(subsample > 0 and height_out > 0, f"{heights}: all must be positive")
        self.expect(height_out * subsample <= height_in, f"{heights}: height-out is too large")
        if "noconv" not in self.type.split("-"):
            for key in ("height-offsets", "time-offsets", "required-time-offsets"):
                empty_ok = key == "required-time-offsets" and config[key] == ""
                self.expect(empty_ok or increasing(config[key]), f"{key}={config[key]} must be like -1,0,1")
        margin = len(config["height-offsets"].split(","))
        self.expect(height_out * subsample >= height_in - margin, f"{heights}: height-out is too small")
        self.expect(config["target-rms"] > 0.0, "target-rms must be positive")

    def _operations(self) -> list[str]:
        operations = self.type.split("-")[:-1]
        return operations[:-1] if operations[-1] == "noconv" else operations

    def output_name(self, auxiliary: str | None = None) -> str:
        return f"{self.name}.{self._operations()[-1]}"

    def output_dim(self, auxiliary: str | None = None) -> int:
        return int(self.config["num-filters-out"] * self.config["height-out"])

    def lines(self) -> Iterator[str]:
        config, node = self.config, self.input
        filters, height = config["num-filters-in"], config["height-in"]
        keys = (
            "param-stddev", "bias-stddev", "use-natural-gradient", "max-change", "rank-in", "rank-out",
            "num-minibatches-history", "alpha-in", "alpha-out", "num-filters-in", "num-filters-out", "height-in",
            "height-out", "height-subsample-out", "height-offsets", "time-offsets", "required-time-offsets",
            "learning-rate-factor", "l2-regularize",
        )  # fmt: skip
        for name in self._operations():
            dim, block = f"dim={filters * height}", f"block-dim={filters}"
            rms = f"target-rms={config['target-rms']}"
            repair = f"self-repair-scale={config['self-repair-scale']}"
            threshold = f"self-repair-lower-threshold={config['self-repair-lower-threshold']}"
            component = {
                "conv": f"TimeHeightConvolutionComponent{self.given(*keys)}",
                "batchnorm": f"BatchNormComponent {dim} {block} {rms}",
                "renorm": f"NormalizeComponent {dim} {rms}",
                "relu": f"RectifiedLinearComponent {dim} {block} {repair} {threshold}",
                "dropout": f"DropoutComponent {dim} dropout-proportion={config['dropout-proportion']}",
                "so": f"ScaleAndOffsetComponent {dim} {block}",
            }[name]
            # Kaldi writes two spaces before the type of these batch norms.
            gap = "  " if name == "batchnorm" else " "
            full = f"{self.name}.{name}"
            yield f"component name={full}{gap}type={component}"
            yield f"component-node name={full} component={full} input={node}"
            node = full
            if name == "conv":
                filters, height = config["num-filters-out"], config["height-out"]


class ChannelAverageLayer(Layer):
    """Averages blocks of ``dim`` columns, such as the heights of an image."""

    TYPES = ("channel-average-layer",)
    OPTIONS: ClassVar[Options] = {"input": "[-1]", "dim": -1}

    def derive(self) -> None:
        """The dimension must be given."""

    def check(self) -> None:
        dim = self.config["dim"]
        self.expect(dim > 0 and self.input_dim % dim == 0, f"dim={dim} must divide the input's {self.input_dim}")

    def output_dim(self, auxiliary: str | None = None) -> int:
        return int(self.config["dim"])

    def lines(self) -> Iterator[str]:
        dim = self.config["dim"]
        average = f"SumBlockComponent input-dim={self.input_dim} output-dim={dim} scale={dim * 1.0 / self.input_dim}"
        yield from self.part("", average, self.input)

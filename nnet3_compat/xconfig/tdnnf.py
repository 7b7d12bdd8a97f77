"""Factored TDNN layers and the layers in front of the outputs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from nnet3_compat.xconfig.layer import Layer, Options


class TdnnfLayer(Layer):
    """A factorized TDNN layer with ReLU, batch norm, dropout and a bypass."""

    TYPES = ("tdnnf-layer",)
    OPTIONS: ClassVar[Options] = {
        "input": "[-1]", "dim": -1, "bottleneck-dim": -1, "bypass-scale": 0.66, "dropout-proportion": -1.0,
        "time-stride": 1, "l2-regularize": 0.0, "max-change": 0.75, "self-repair-scale": 1.0e-05, "context": "default",
    }  # fmt: skip

    def derive(self) -> None:
        """The dimension must be given."""

    def check(self) -> None:
        config = self.config
        self.expect(config["bottleneck-dim"] > 0, "bottleneck-dim must be given and positive")
        self.expect(config["dim"] > config["bottleneck-dim"], "dim must be greater than bottleneck-dim")
        dropout = config["dropout-proportion"]
        self.expect(dropout == -1.0 or 0.0 <= dropout < 1.0, "dropout-proportion must be from 0 to below 1")
        self.expect(abs(config["bypass-scale"]) <= 1.0, "bypass-scale must be between -1 and 1")
        self.expect(
            config["bypass-scale"] == 0.0 or config["dim"] == self.input_dim,
            f"with a bypass-scale dim={config['dim']} must be that of the input, {self.input_dim}",
        )
        contexts = ("default", "left-only", "shift-left", "none")
        self.expect(config["context"] in contexts, f"context must be one of {', '.join(contexts)}")

    def _last(self) -> str:
        return "dropout" if self.config["dropout-proportion"] != -1.0 else "batchnorm"

    def output_name(self, auxiliary: str | None = None) -> str:
        return f"{self.name}.{'noop' if self.config['bypass-scale'] != 0.0 else self._last()}"

    def output_dim(self, auxiliary: str | None = None) -> int:
        return int(self.config["dim"])

    def _time_offsets(self) -> tuple[str, str]:
        stride, context = self.config["time-stride"], self.config["context"]
        if stride == 0 or context == "none":
            return "0", "0"
        before = f"{-stride},0"
        return before, {"default": f"0,{stride}", "shift-left": before, "left-only": "0"}[context]

    def lines(self) -> Iterator[str]:
        config, name = self.config, self.name
        dim, bottleneck = config["dim"], config["bottleneck-dim"]
        common = f"l2-regularize={config['l2-regularize']} max-change={config['max-change']}"
        first, second = self._time_offsets()
        yield from self.part(
            "linear",
            f"TdnnComponent input-dim={self.input_dim} output-dim={bottleneck} {common} use-bias=false "
            f"time-offsets={first} orthonormal-constraint=-1.0",
            self.input,
        )
        affine = f"TdnnComponent input-dim={bottleneck} output-dim={dim} {common} time-offsets={second}"
        yield from self.part("affine", affine, f"{name}.linear")
        relu = f"RectifiedLinearComponent dim={dim} self-repair-scale={config['self-repair-scale']}"
        yield from self.part("relu", relu, f"{name}.affine")
        yield from self.part("batchnorm", f"BatchNormComponent dim={dim}", f"{name}.relu")
        if config["dropout-proportion"] != -1.0:
            proportion = config["dropout-proportion"]
            dropout = f"GeneralDropoutComponent dim={dim} dropout-proportion={proportion} continuous=true"
            yield from self.part("dropout", dropout, f"{name}.batchnorm")
        if config["bypass-scale"] != 0.0:
            source = f"Sum(Scale({config['bypass-scale']}, {self.input}), {name}.{self._last()})"
            yield from self.part("noop", f"NoOpComponent dim={dim}", source)


class PrefinalLayer(Layer):
    """What stands before the output layer of a TDNN-F: wide, then narrow."""

    TYPES = ("prefinal-layer",)
    OPTIONS: ClassVar[Options] = {
        "input": "[-1]", "big-dim": -1, "small-dim": -1, "l2-regularize": 0.0, "max-change": 0.75,
        "self-repair-scale": 1.0e-05,
    }  # fmt: skip

    def check(self) -> None:
        self.expect(self.config["small-dim"] > 0, "small-dim must be given and positive")
        self.expect(self.config["big-dim"] > self.config["small-dim"], "big-dim must be greater than small-dim")

    def output_name(self, auxiliary: str | None = None) -> str:
        return f"{self.name}.batchnorm2"

    def output_dim(self, auxiliary: str | None = None) -> int:
        return int(self.config["small-dim"])

    def lines(self) -> Iterator[str]:
        config, name = self.config, self.name
        small, big = config["small-dim"], config["big-dim"]
        common = f"l2-regularize={config['l2-regularize']} max-change={config['max-change']}"
        affine = f"NaturalGradientAffineComponent input-dim={self.input_dim} output-dim={big} {common}"
        yield from self.part("affine", affine, self.input)
        relu = f"RectifiedLinearComponent dim={big} self-repair-scale={config['self-repair-scale']}"
        yield from self.part("relu", relu, f"{name}.affine")
        yield from self.part("batchnorm1", f"BatchNormComponent dim={big}", f"{name}.relu")
        linear = f"LinearComponent input-dim={big} output-dim={small} {common} orthonormal-constraint=-1 "
        yield from self.part("linear", linear, f"{name}.batchnorm1")
        yield from self.part("batchnorm2", f"BatchNormComponent dim={small}", f"{name}.linear")

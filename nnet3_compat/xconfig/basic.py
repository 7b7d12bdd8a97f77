"""Affine layers with nonlinearities, output layers, fixed transforms, spec-augment."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import ClassVar

import numpy as np

from nnet3_compat.xconfig.layer import Layer, Options


class OutputLayer(Layer):
    """An affine map, a log-softmax where it is wanted, and an output node."""

    TYPES = ("output-layer",)
    OPTIONS: ClassVar[Options] = {
        "input": "[-1]", "dim": -1, "bottleneck-dim": -1, "orthonormal-constraint": 1.0, "include-log-softmax": True,
        "objective-type": "linear", "output-delay": 0, "ng-affine-options": "", "ng-linear-options": "",
        "learning-rate-factor": "", "l2-regularize": "", "max-change": 1.5, "param-stddev": 0.0, "bias-stddev": 0.0,
    }  # fmt: skip

    def check(self) -> None:
        self.expect(self.config["dim"] > -1, f"dim={self.config['dim']} must be positive")
        self.expect(
            self.config["objective-type"] in ("linear", "quadratic"), "objective-type must be linear or quadratic"
        )
        self.expect(
            self.config["orthonormal-constraint"] > 0.0,
            "orthonormal-constraint must be positive; for a floating one use a linear-component before this layer",
        )

    def auxiliary_outputs(self) -> tuple[str, ...]:
        return ("affine", "log-softmax") if self.config["include-log-softmax"] else ("affine",)

    def output_name(self, auxiliary: str | None = None) -> str:
        self.expect(auxiliary is not None, "other layers can use only its outputs .affine and .log-softmax")
        return f"{self.name}.{auxiliary}"

    def output_dim(self, auxiliary: str | None = None) -> int:
        self.expect(auxiliary is not None, "other layers can use only its outputs .affine and .log-softmax")
        return int(self.config["dim"])

    def lines(self) -> Iterator[str]:
        config, node, dim = self.config, self.input, self.input_dim
        if config["bottleneck-dim"] >= 0:
            bottleneck, constraint = config["bottleneck-dim"], config["orthonormal-constraint"]
            self.expect(0 < bottleneck < min(dim, config["dim"]), f"bottleneck-dim={bottleneck} makes no sense")
            options = config["ng-linear-options"] + self.given("learning-rate-factor", "l2-regularize", "max-change")
            yield from self.part(
                "linear",
                f"LinearComponent orthonormal-constraint={constraint} param-stddev={constraint / math.sqrt(dim)} "
                f"input-dim={dim} output-dim={bottleneck} max-change=0.75 {options}",
                node,
            )
            node, dim = f"{self.name}.linear", bottleneck
        options = config["ng-affine-options"] + self.given(
            "learning-rate-factor", "l2-regularize", "max-change", "param-stddev", "bias-stddev"
        )
        affine = f"NaturalGradientAffineComponent input-dim={dim} output-dim={config['dim']} {options}"
        yield from self.part("affine", affine, node)
        node = f"{self.name}.affine"
        if config["include-log-softmax"]:
            yield from self.part("log-softmax", f"LogSoftmaxComponent dim={config['dim']}", node)
            node = f"{self.name}.log-softmax"
        if config["output-delay"]:
            node = f"Offset({node}, {config['output-delay']})"
        yield f"output-node name={self.name} input={node} objective={config['objective-type']}"


class BasicLayer(Layer):
    """An affine map, then the nonlinearities that the layer's type names."""

    TYPES = (
        "relu-layer", "relu-renorm-layer", "relu-batchnorm-dropout-layer", "relu-dropout-layer", "relu-batchnorm-layer",
        "relu-batchnorm-so-layer", "batchnorm-so-relu-layer", "batchnorm-layer", "sigmoid-layer", "tanh-layer",
    )  # fmt: skip
    OPTIONS: ClassVar[Options] = {
        "input": "[-1]", "dim": -1, "bottleneck-dim": -1, "self-repair-scale": 1.0e-05, "target-rms": 1.0,
        "ng-affine-options": "", "ng-linear-options": "", "dropout-proportion": 0.5, "dropout-per-dim": False,
        "dropout-per-dim-continuous": False, "add-log-stddev": False, "bias-stddev": "", "l2-regularize": "",
        "learning-rate-factor": "", "max-change": 0.75,
    }  # fmt: skip

    def _nonlinearities(self) -> list[str]:
        return self.type.split("-")[:-1]

    def check(self) -> None:
        config = self.config
        self.expect(config["dim"] >= 0, f"dim={config['dim']} must be positive")
        bottleneck = config["bottleneck-dim"]
        self.expect(bottleneck < 0 or 0 < bottleneck < config["dim"], f"bottleneck-dim={bottleneck} is out of range")
        self.expect(0.0 <= config["self-repair-scale"] <= 1.0, "self-repair-scale must be between 0 and 1")
        self.expect(config["target-rms"] >= 0.0, "target-rms must not be negative")
        last = self._nonlinearities()[-1]
        self.expect(not config["add-log-stddev"] or last == "renorm", "add-log-stddev needs a renorm at the end")

    def output_name(self, auxiliary: str | None = None) -> str:
        return f"{self.name}.{self._nonlinearities()[-1]}"

    def output_dim(self, auxiliary: str | None = None) -> int:
        return int(self.config["dim"])

    def lines(self) -> Iterator[str]:
        config, node, input_dim = self.config, self.input, self.input_dim
        dim = config["dim"] - int(config["add-log-stddev"])
        if config["bottleneck-dim"] > 0:
            options = config["ng-linear-options"] + self.given("max-change", "learning-rate-factor")
            bottleneck = config["bottleneck-dim"]
            linear = (
                f"LinearComponent input-dim={input_dim} orthonormal-constraint=1.0 output-dim={bottleneck} {options}"
            )
            yield from self.part("linear", linear, node)
            node, input_dim = f"{self.name}.linear", bottleneck
        options = config["ng-affine-options"] + self.given(
            "max-change", "learning-rate-factor", "bias-stddev", "l2-regularize"
        )
        affine = f"NaturalGradientAffineComponent input-dim={input_dim} output-dim={dim} {options}"
        yield from self.part("affine", affine, node)
        node = f"{self.name}.affine"
        names = self._nonlinearities()
        for i, name in enumerate(names):
            yield from self.part(name, self._component(name, dim, i == len(names) - 1), node)
            node = f"{self.name}.{name}"

    def _component(self, name: str, dim: int, last: bool) -> str:
        config = self.config
        repair, rms = f"self-repair-scale={config['self-repair-scale']}", f"target-rms={config['target-rms']}"
        if name == "renorm":
            log_stddev = "true" if last and config["add-log-stddev"] else "false"
            return f"NormalizeComponent dim={dim} {rms} add-log-stddev={log_stddev}"
        if name == "dropout":
            proportion = f"dropout-proportion={config['dropout-proportion']}"
            if not (config["dropout-per-dim"] or config["dropout-per-dim-continuous"]):
                return f"DropoutComponent dim={dim} {proportion}"
            continuous = "continuous=true" if config["dropout-per-dim-continuous"] else ""
            return f"GeneralDropoutComponent dim={dim} {proportion} {continuous}"
        return {
            "relu": f"RectifiedLinearComponent dim={dim} {repair}",
            "sigmoid": f"SigmoidComponent dim={dim} {repair}",
            "tanh": f"TanhComponent dim={dim} {repair}",
            "batchnorm": f"BatchNormComponent dim={dim} {rms}",
            "so": f"ScaleAndOffsetComponent dim={dim} max-change=0.5 ",
        }[name]


class _Transform(Layer):
    def derive(self) -> None:
        """The dimension may stay open: it is then the input's."""

    def output_dim(self, auxiliary: str | None = None) -> int:
        dim = int(self.config["dim"])
        return dim if dim > 0 else self.input_dim


class FixedAffineLayer(_Transform):
    """A transform read from a file, such as one estimated by LDA; its input goes out through init.config."""

    TYPES = ("fixed-affine-layer",)
    OPTIONS: ClassVar[Options] = {
        "input": "[-1]", "dim": -1, "affine-transform-file": "", "delay": 0, "write-init-config": True,
    }  # fmt: skip

    def derive(self) -> None:
        Layer.derive(self)

    def config_lines(self) -> Iterator[tuple[str, str]]:
        name, delay, node = self.name, self.config["delay"], f"component-node name={self.name} component={self.name}"
        if self.config["write-init-config"]:
            if delay:
                for line in self.part("delayed", f"NoOpComponent dim={self.input_dim}", self.input):
                    yield "init", line
                yield "init", f"output-node name=output input=Offset({name}.delayed, {delay})"
            else:
                yield "init", f"output-node name=output input={self.input}"
        component = f"component name={name} type=FixedAffineComponent"
        yield "final", f"{component} matrix={self.config['affine-transform-file']}"
        yield "ref", f"{component} input-dim={self.input_dim} output-dim={self.output_dim()}"
        for config in ("final", "ref"):
            yield config, f"{node} input={self.input}"


class IdctLayer(_Transform):
    """Turns cepstra back into filterbanks; ``matrix`` goes into the file that the option names."""

    TYPES = ("idct-layer",)
    OPTIONS: ClassVar[Options] = {
        "input": "[-1]", "dim": -1, "cepstral-lifter": 22.0, "affine-transform-file": "", "include-in-init": False,
    }  # fmt: skip

    def derive(self) -> None:
        Layer.derive(self)

    def check(self) -> None:
        self.expect(bool(self.config["affine-transform-file"]), "affine-transform-file must be given")

    def matrix(self) -> np.ndarray:
        """The inverse of the lifted cosine transform, [output dim, input dim + 1] with a bias of zero."""
        rows, columns = self.input_dim, self.output_dim()
        n, k = np.arange(columns)[:, None], np.arange(rows)[None]
        matrix = math.sqrt(2.0 / columns) * np.cos(math.pi / columns * (n + 0.5) * k)
        matrix[:, 0] = math.sqrt(1.0 / columns)
        lifter = self.config["cepstral-lifter"]
        if lifter != 0:
            matrix = matrix / (1.0 + 0.5 * lifter * np.sin(math.pi * k / lifter))
        return np.concatenate([matrix, np.zeros((columns, 1))], axis=1)

    def lines(self) -> Iterator[str]:
        yield from self.part("", f"FixedAffineComponent matrix={self.config['affine-transform-file']}", self.input)


class AffineLayer(_Transform):
    """An affine map alone."""

    TYPES = ("affine-layer",)
    OPTIONS: ClassVar[Options] = {
        "input": "[-1]", "dim": -1, "param-stddev": -1.0, "bias-stddev": 1.0, "bias-mean": 0.0, "max-change": 0.75,
        "l2-regularize": 0.0, "learning-rate-factor": 1.0, "ng-affine-options": "",
    }  # fmt: skip

    def derive(self) -> None:
        Layer.derive(self)
        if self.config["param-stddev"] < 0:
            self.config["param-stddev"] = 1.0 / math.sqrt(self.input_dim)

    def check(self) -> None:
        self.expect(self.config["dim"] > 0, "dim must be positive")

    def config_lines(self) -> Iterator[tuple[str, str]]:
        options = self.given("param-stddev", "bias-stddev", "bias-mean", "max-change", "l2-regularize")
        options += self.config["ng-affine-options"]
        dims = f"input-dim={self.input_dim} output-dim={self.output_dim()}"
        lines = list(self.part("", f"NaturalGradientAffineComponent {dims} {options}", self.input))
        for config in ("final", "ref"):
            for line in lines:
                yield config, line


class SpecAugmentLayer(Layer):
    """Zeroes stretches of time and frequencies in training."""

    TYPES = ("spec-augment-layer",)
    OPTIONS: ClassVar[Options] = {
        "input": "[-1]", "freq-max-proportion": 0.5, "time-zeroed-proportion": 0.2, "time-mask-max-frames": 20,
        "include-in-init": False,
    }  # fmt: skip

    def check(self) -> None:
        for key in ("freq-max-proportion", "time-zeroed-proportion"):
            self.expect(0.0 < self.config[key] < 1.0, f"{key} must be between 0 and 1")
        self.expect(self.config["time-mask-max-frames"] >= 1, "time-mask-max-frames must be positive")

    def output_name(self, auxiliary: str | None = None) -> str:
        return f"{self.name}.time-mask"

    def lines(self) -> Iterator[str]:
        config, dim = self.config, self.input_dim
        freq = f"GeneralDropoutComponent dim={dim} specaugment-max-proportion={config['freq-max-proportion']}"
        yield from self.part("freq-mask", freq, self.input)
        time = (
            f"SpecAugmentTimeMaskComponent dim={dim} zeroed-proportion={config['time-zeroed-proportion']} "
            f"time-mask-max-frames={config['time-mask-max-frames']}"
        )
        yield from self.part("time-mask", time, f"{self.name}.freq-mask")

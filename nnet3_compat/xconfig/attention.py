"""Restricted self-attention over a window of time."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import ClassVar

from nnet3_compat.xconfig.layer import Layer, Options


class AttentionLayer(Layer):
    """Restricted self-attention, with ReLU and normalization in the order of its name."""

    TYPES = (
        "attention-renorm-layer", "attention-relu-renorm-layer", "attention-relu-batchnorm-layer",
        "relu-renorm-attention-layer",
    )  # fmt: skip
    OPTIONS: ClassVar[Options] = {
        "input": "[-1]", "dim": -1, "max-change": 0.75, "self-repair-scale": 1.0e-05, "target-rms": 1.0,
        "learning-rate-factor": 1.0, "ng-affine-options": "", "l2-regularize": 0.0, "num-left-inputs-required": -1,
        "num-right-inputs-required": -1, "output-context": True, "time-stride": 1, "num-heads": 1, "key-dim": -1,
        "key-scale": 0.0, "value-dim": -1, "num-left-inputs": -1, "num-right-inputs": -1, "dropout-proportion": 0.5,
    }  # fmt: skip

    def check(self) -> None:
        config = self.config
        self.expect(0.0 <= config["self-repair-scale"] <= 1.0, "self-repair-scale must be between 0 and 1")
        self.expect(config["target-rms"] >= 0.0, "target-rms must not be negative")
        self.expect(config["learning-rate-factor"] > 0.0, "learning-rate-factor must be positive")
        for key in ("value-dim", "key-dim", "num-left-inputs", "num-right-inputs"):
            self.expect(config[key] >= 0, f"{key} must be given, and not negative")
        if config["key-scale"] == 0.0:
            self.expect(config["key-dim"] > 0, "key-dim must be positive")
            config["key-scale"] = 1.0 / math.sqrt(config["key-dim"])

    def _context(self) -> int:
        return int(self.config["num-left-inputs"] + self.config["num-right-inputs"] + 1)

    def _attention_input_dim(self) -> int:
        return int(self.config["num-heads"] * (2 * self.config["key-dim"] + self.config["value-dim"] + self._context()))

    def output_name(self, auxiliary: str | None = None) -> str:
        return f"{self.name}.{self.type.split('-')[-2]}"

    def output_dim(self, auxiliary: str | None = None) -> int:
        context = self._context() if self.config["output-context"] else 0
        return int(self.config["num-heads"] * (self.config["value-dim"] + context))

    def lines(self) -> Iterator[str]:
        config, dim = self.config, self._attention_input_dim()
        factor, l2 = config["learning-rate-factor"], config["l2-regularize"]
        options = (
            f"{config['ng-affine-options']} {f'learning-rate-factor={factor}' if factor != 1.0 else ''} "
            f"{f'l2-regularize={l2} ' if l2 != 0.0 else ''}"
        )
        yield from self.part(
            "affine",
            f"NaturalGradientAffineComponent input-dim={self.input_dim} output-dim={dim} "
            f"max-change={config['max-change']} {options}",
            self.input,
        )
        node = f"{self.name}.affine"
        keys = (
            "value-dim", "key-dim", "num-left-inputs", "num-right-inputs", "num-left-inputs-required",
            "num-right-inputs-required", "output-context", "time-stride", "num-heads", "key-scale",
        )  # fmt: skip
        for name in self.type.split("-")[:-1]:
            component = {
                "relu": f"RectifiedLinearComponent dim={dim} self-repair-scale={config['self-repair-scale']}",
                "attention": f"RestrictedAttentionComponent{self.given(*keys)}",
                "renorm": f"NormalizeComponent dim={dim} target-rms={config['target-rms']}",
                "batchnorm": f"BatchNormComponent dim={dim} target-rms={config['target-rms']}",
            }[name]
            yield from self.part(name, component, node)
            node = f"{self.name}.{name}"
            if name == "attention":
                dim = self.output_dim()

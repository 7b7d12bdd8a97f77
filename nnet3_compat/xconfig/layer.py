"""What all layers share: options with defaults, input descriptors, outputs, and the config lines they become.

A layer class declares ``OPTIONS`` (the type of a default is the type of the option; "" stands for not set) and yields
its lines from ``lines()``; most lines go into both ref.config and final.config.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

from kaldi_bridge.errors import KaldiError
from nnet3_compat.xconfig.descriptor import LayerDescriptor, parse_descriptor

_NAME = re.compile(r"[a-zA-Z_][-a-zA-Z_0-9.]*")
Options = dict[str, Any]

LAYERS: dict[str, type[Layer]] = {}
"""Every layer type by the word that lines start with."""


class Layer:
    """A line of an xconfig, which becomes lines of a config.

    Attributes:
        TYPES: the words that such a line may begin with.
        OPTIONS: and their defaults; the type of the default is that of the value.
        INPUTS: which of them are descriptors.
    """

    TYPES: ClassVar[tuple[str, ...]] = ()
    OPTIONS: ClassVar[Options] = {"input": "[-1]"}
    INPUTS: ClassVar[tuple[str, ...]] = ("input",)

    def __init_subclass__(cls) -> None:
        for layer_type in cls.TYPES:
            LAYERS[layer_type] = cls

    def __init__(self, layer_type: str, values: dict[str, str], earlier: Sequence[Layer]) -> None:
        """Raises KaldiError for unknown or malformed options, and inputs that do not exist."""
        self.type = layer_type
        values = dict(values)
        self.name = values.pop("name", "")
        if not _NAME.match(self.name):
            raise KaldiError(f"{layer_type}: expected name=..., a letter or _ first, got {self.name!r}")
        for layer in earlier:
            if layer.name == self.name and not isinstance(layer, ExistingLayer):
                raise KaldiError(f"{layer_type}: the name {self.name} is used for another layer already")
        self.config: Options = dict(self.OPTIONS)
        for key, value in values.items():
            if key not in self.config:
                known = " ".join(f"{k}={v}" for k, v in self.config.items())
                raise KaldiError(f"{layer_type} name={self.name} has no option {key}={value}; it has: {known}")
            self.config[key] = _converted(key, value, type(self.config[key]))
        self.descriptors: dict[str, LayerDescriptor] = {}
        self._texts: dict[str, str] = {}
        self._dims: dict[str, int] = {}
        names = [layer.name for layer in earlier if not isinstance(layer, ExistingLayer)]
        for key in self.INPUTS:
            descriptor = parse_descriptor(self.config[key], names)
            self.descriptors[key] = descriptor
            self._dims[key] = descriptor.dim(lambda n: _find(n, earlier)[0].output_dim(_find(n, earlier)[1]))
            self._texts[key] = descriptor.text(lambda n: _find(n, earlier)[0].output_name(_find(n, earlier)[1]))
        self.derive()
        self.check()

    # What a layer type overrides.

    def derive(self) -> None:
        """Sets options that follow from others."""
        if "dim" in self.config and self.config["dim"] <= 0 and "input" in self._dims:
            self.config["dim"] = self.input_dim

    def check(self) -> None:
        """Raises KaldiError for options that make no sense."""

    def auxiliary_outputs(self) -> tuple[str, ...]:
        """Outputs that other layers can name as layer.output."""
        return ()

    def output_name(self, auxiliary: str | None = None) -> str:
        """The node, or descriptor, that others read."""
        return self.name

    def output_dim(self, auxiliary: str | None = None) -> int:
        return self.input_dim

    def lines(self) -> Iterator[str]:
        """Lines of ref.config and final.config."""
        yield from ()

    def config_lines(self) -> Iterator[tuple[str, str]]:
        """(config, line) with config init, ref or final."""
        for line in self.lines():
            yield "ref", line
            yield "final", line
            if self.config.get("include-in-init"):
                yield "init", line

    # What they use.

    @property
    def input(self) -> str:
        """The input in nnet3's terms."""
        return self._texts["input"]

    @property
    def input_dim(self) -> int:
        return self._dims["input"]

    def fail(self, what: str) -> KaldiError:
        return KaldiError(f"{self.type} name={self.name}: {what}")

    def expect(self, condition: bool, what: str) -> None:
        if not condition:
            raise self.fail(what)

    def given(self, *keys: str) -> str:
        """`` key=value`` for each option that is set."""
        return "".join(f" {key}={self.config[key]}" for key in keys if self.config[key] != "")

    def part(self, name: str, component: str, source: str, gap: str = " ") -> Iterator[str]:
        """A component called layer.name and its node; Kaldi writes some with a wider ``gap`` before the type."""
        full = f"{self.name}.{name}" if name else self.name
        yield f"component name={full}{gap}type={component}"
        yield f"component-node name={full} component={full} input={source}"

    def normalize_descriptors(self) -> None:
        """Shorthands in inputs are written out from now on."""
        for key, descriptor in self.descriptors.items():
            self.config[key] = str(descriptor)

    def __str__(self) -> str:
        words = [f"{self.type} name={self.name}"]
        for key, value in sorted(self.config.items()):
            quoted = isinstance(value, str) and "=" in value
            words.append(f'{key}="{value}"' if quoted else f"{key}={value}")
        return " ".join(words)


class ExistingLayer(Layer):
    """A node of a model that a network is built upon."""

    OPTIONS: ClassVar[Options] = {"dim": -1}
    INPUTS: ClassVar[tuple[str, ...]] = ()

    def output_dim(self, auxiliary: str | None = None) -> int:
        return int(self.config["dim"])


def _converted(key: str, value: str, kind: type) -> Any:
    if kind is bool:
        if value.lower() not in ("true", "false") or value not in ("True", "true", "False", "false"):
            raise KaldiError(f"invalid value {key}={value}: expected true or false")
        return value.lower() == "true"
    if kind is str:
        return value
    try:
        return kind(value)
    except ValueError:
        raise KaldiError(
            f"invalid value {key}={value}: expected {'an integer' if kind is int else 'a number'}"
        ) from None


def _find(name: str, earlier: Sequence[Layer]) -> tuple[Layer, str | None]:
    """The layer of this name, and the auxiliary output if the name has one."""
    base, dot, auxiliary = name.partition(".")
    for layer in earlier:
        if layer.name == name:
            return layer, None
        if layer.name == base:
            if dot and auxiliary not in layer.auxiliary_outputs():
                raise KaldiError(f"layer {base} has no output {auxiliary} ({name})")
            return layer, auxiliary if dot else None
    raise KaldiError(f"there is no layer {name} before this line")

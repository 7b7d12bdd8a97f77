"""A chain of simple components that acts as one (Kaldi: nnet3/nnet-simple-component.cc)."""

from __future__ import annotations

from typing import Any

import numpy as np

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.basic_io import read_int32, write_int32
from kaldi_bridge.io.streams import InputStream, OutputStream
from nnet3_compat.components.base import COMPONENTS, Component, UpdatableComponent, read_component
from nnet3_compat.components.config import Keys
from nnet3_compat.components.fields import INT, Field, Kind

MAX_COMPONENTS = 100_000


def _read_components(stream: InputStream, binary: bool) -> list[Component]:
    count = read_int32(stream, binary)
    if not 0 < count <= MAX_COMPONENTS:
        raise KaldiError(f"{stream.name}: CompositeComponent: bad number of components {count}")
    components = []
    for _ in range(count):
        component = read_component(stream, binary)
        if isinstance(component, CompositeComponent):
            # Kaldi does not make such files, and a damaged one could nest without end.
            raise KaldiError(f"{stream.name}: a CompositeComponent within a CompositeComponent")
        components.append(component)
    return components


def _write_components(stream: OutputStream, binary: bool, components: list[Component]) -> None:
    write_int32(stream, binary, len(components))
    for component in components:
        component.write(stream, binary)


class CompositeComponent(UpdatableComponent):
    """``components`` one after the other, on at most ``max_rows_process`` frames at once (to save memory)."""

    TYPE = "CompositeComponent"
    FIELDS = (
        Field("<MaxRowsProcess>", INT, "max_rows_process"),
        Field("<NumComponents>", Kind(_read_components, _write_components), "components"),
    )

    max_rows_process: int = 4096
    components: list[Component]

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        if name == "components":
            self.is_updatable = any(c.is_updatable for c in value)

    @property
    def input_dim(self) -> int:
        return self.components[0].input_dim

    @property
    def output_dim(self) -> int:
        return self.components[-1].output_dim

    def updatable(self) -> list[UpdatableComponent]:
        """Those of the chain that training changes; their parameters, one after the other, are the chain's."""
        return [c for c in self.components if isinstance(c, UpdatableComponent) and c.is_updatable]

    def check(self) -> None:
        for component in self.components:
            simple = component.is_pointwise and not component.is_random and not component.uses_times
            self.expect(simple, f"a {component.TYPE} cannot be part of it")
        for first, second in zip(self.components, self.components[1:], strict=False):
            same = first.output_dim == second.input_dim
            self.expect(
                same, f"{first.TYPE} gives {first.output_dim} dimensions, {second.TYPE} takes {second.input_dim}"
            )

    def configure(self, keys: Keys) -> None:
        from nnet3_compat.components.config_line import ConfigLine

        self.max_rows_process = keys.get("max-rows-process", int, 4096)
        count = keys.positive("num-components")
        components = []
        for i in range(1, count + 1):
            line = ConfigLine()
            line.parse_line(keys.need(f"component{i}", str))
            kind = line.get_value("type", str)
            known = kind is not None and kind in COMPONENTS and not line.first_token
            keys.expect(known, f"component{i} needs type=..., a known component type")
            keys.expect(kind != self.TYPE, "a CompositeComponent within a CompositeComponent")
            components.append(COMPONENTS[str(kind)].init_from_config(line))
        self.components = components

    def info(self) -> str:
        parts = [f"sub-component{i} = {{ {c.info()} }}" for i, c in enumerate(self.components, 1)]
        return f"{self.TYPE} {', '.join(parts)}"

    # All that follows goes to the parts.

    def zero_stats(self) -> None:
        for component in self.components:
            component.zero_stats()

    def scale(self, factor: float) -> None:
        for component in self.components:
            component.scale(factor)

    def add(self, alpha: float, other: Component) -> None:
        for mine, theirs in self._pairs(other):
            mine.add(alpha, theirs)

    def _pairs(self, other: Component) -> list[tuple[Component, Component]]:
        self._expect_same_type(other)
        assert isinstance(other, CompositeComponent)
        same = len(self.components) == len(other.components)
        self.expect(same, "different numbers of components: the networks differ")
        return list(zip(self.components, other.components, strict=True))

    def dot(self, other: Component) -> float:
        pairs = self._pairs(other)
        return sum(a.dot(b) for a, b in pairs if isinstance(a, UpdatableComponent) and a.is_updatable)

    def parameters(self) -> list[np.ndarray]:
        return [p for component in self.updatable() for p in component.parameters()]

    def unvectorize(self, vector: np.ndarray) -> None:
        if vector.shape != (self.num_parameters,):
            raise KaldiError(f"{self.TYPE}: expected {self.num_parameters} parameters, got {vector.shape}")
        start = 0
        for component in self.updatable():
            end = start + component.num_parameters
            component.unvectorize(vector[start:end])
            start = end

    def perturb_params(self, stddev: float) -> None:
        for component in self.updatable():
            component.perturb_params(stddev)

    def set_underlying_learning_rate(self, rate: float) -> None:
        super().set_underlying_learning_rate(rate)
        for component in self.updatable():
            component.set_underlying_learning_rate(self.learning_rate)

    def set_actual_learning_rate(self, rate: float) -> None:
        super().set_actual_learning_rate(rate)
        for component in self.updatable():
            component.set_actual_learning_rate(rate)

    def set_as_gradient(self) -> None:
        super().set_as_gradient()
        for component in self.updatable():
            component.set_as_gradient()

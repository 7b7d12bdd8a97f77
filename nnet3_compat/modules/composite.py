"""A chain of components in one (Kaldi: CompositeComponent)."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from nnet3_compat.components.base import Component
from nnet3_compat.modules.base import ComponentModule, from_component, module_for


@module_for("CompositeComponent")
class Composite(ComponentModule):
    """One pointwise component after the other. (``max_rows_process`` saves memory in Kaldi; here it has no effect.)"""

    def __init__(self, component: Any) -> None:
        super().__init__(component)
        self.parts = nn.Sequential(*(from_component(part) for part in component.components))
        self.component.components = []  # type: ignore[attr-defined]

    def to_component(self) -> Component:
        made: Any = super().to_component()
        made.components = [part.to_component() for part in self.parts]  # type: ignore[operator]
        return made

    def forward(self, x: Tensor) -> Tensor:
        return self.parts(x)

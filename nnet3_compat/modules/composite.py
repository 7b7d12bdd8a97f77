"""A chain of components in one (Kaldi: CompositeComponent)."""

from __future__ import annotations

from torch import Tensor, nn

from nnet3_compat.components.composite import CompositeComponent
from nnet3_compat.modules.base import ComponentModule, from_component, module_for


@module_for(CompositeComponent)
class Composite(ComponentModule[CompositeComponent]):
    """One pointwise component after the other. (``max_rows_process`` saves memory in Kaldi; here it has no effect.)"""

    def __init__(self, component: CompositeComponent) -> None:
        super().__init__(component)
        self.parts = nn.Sequential(*(from_component(part) for part in component.components))
        self.component.components = []

    def to_component(self) -> CompositeComponent:
        made = super().to_component()
        made.components = [part.to_component() for part in self.parts if isinstance(part, ComponentModule)]
        return made

    def forward(self, x: Tensor) -> Tensor:
        return self.parts(x)

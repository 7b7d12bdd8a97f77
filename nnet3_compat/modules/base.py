"""What all component modules share: the registry, and the way to a component and back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Literal, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from kaldi_bridge.errors import KaldiError
from nnet3_compat.components.base import Component

C = TypeVar("C", bound=Component)
M = TypeVar("M", bound="type[ComponentModule[Any]]")
Role = Literal["weight", "bias", "scale", "offset"]

MODULES: dict[type[Component], type[ComponentModule[Any]]] = {}
"""The module class of every component class."""


def module_for(*components: type[Component]) -> Callable[[M], M]:
    """Class decorator: this module computes the given kinds of components."""

    def register(cls: M) -> M:
        for component in components:
            MODULES[component] = cls
        return cls

    return register


def from_component(component: C) -> ComponentModule[C]:
    """The module that computes what the component computes; it shares no memory with it.

    Raises:
        KaldiError: no module is known for this type.
    """
    cls = MODULES.get(type(component))
    if cls is None:
        raise KaldiError(f"components of type {component.TYPE} cannot be run in PyTorch")
    return cls(component)


class ComponentModule(nn.Module, Generic[C]):
    """One component of an nnet3 network; components/base.py says all that a new one needs.

    ``forward(x)`` or, with taps, ``forward(taps, valid)`` (see modules/__init__.py) must be scriptable; what only
    training does is behind ``if not torch.jit.is_scripting() and self.training``, in methods that are
    ``@torch.jit.unused``.

    Attributes:
        component: what the file said, learning rates and other settings included, without the arrays in ``PARAMS`` and
            ``STATS``, which live here as parameters and buffers.
    """

    PARAMS: ClassVar[tuple[str, ...]] = ()
    """Trained arrays; the same names here and in the component."""
    ROLES: ClassVar[tuple[Role, ...]] = ()
    """What each of them is in ``watched()``: W and b of W [x_1, x_2, ...] + b, s and o of s x + o. Else empty."""
    STATS: ClassVar[tuple[str, ...]] = ()
    """Accumulated statistics, kept in double precision whatever the type of the parameters."""
    READS_TAPS: ClassVar[bool] = False
    """In training ``train_on(x [T, N, D], spec, rows)`` runs, which reads its taps itself as a layout says."""

    SEES_ALL_ROWS: ClassVar[bool] = False
    """A row of its output, in training, depends on all rows of its input."""

    if TYPE_CHECKING:  # not at run time: TorchScript reads annotations that are there
        component: C

        def __getattr__(self, name: str) -> Any: ...

    def __init__(self, component: C) -> None:
        super().__init__()
        self.component = component.copy()
        for name in self.PARAMS:
            array = np.asarray(getattr(component, name), np.float32)
            value = torch.from_numpy(array.copy())
            if array.size:
                updatable = component.is_updatable
                self.register_parameter(name, nn.Parameter(value, requires_grad=updatable))
            else:  # an absent bias: nothing for an optimizer to see
                self.register_buffer(name, value)
            setattr(self.component, name, array[:0].copy())
        for name in self.STATS:
            stats = np.asarray(getattr(component, name), np.float64)
            self.register_buffer(name, torch.from_numpy(stats.copy()).reshape(stats.shape))

    def to_component(self) -> C:
        """A component with the present parameters and statistics; all else as it came."""
        made = self.component.copy()
        for name in self.PARAMS:
            value: Tensor = getattr(self, name)
            setattr(made, name, value.detach().to("cpu", torch.float32, copy=True).numpy())
        for name in self.STATS:
            stats: Tensor = getattr(self, name)
            old = getattr(made, name)
            array = stats.detach().to("cpu", copy=True).numpy()
            setattr(made, name, array if isinstance(old, np.ndarray) else type(old)(array.item()))
        return made

    def watched(self) -> nn.Module:
        """The part whose input and output tell the gradient of the parameters that have roles."""
        return self

    def affine(self) -> tuple[Tensor, Tensor | None]:
        """Of a component that ``is_affine``: W [output, taps * input] and b [output] or None."""
        raise NotImplementedError

    def scale_and_offset(self) -> tuple[Tensor, Tensor]:
        """Of a component that ``is_scale_and_offset``: s and o [dim] of test mode."""
        raise NotImplementedError

    def stat_tensors(self) -> Iterator[tuple[str, Tensor]]:
        """The statistics by name."""
        for name in self.STATS:
            yield name, getattr(self, name)

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Any:
        kept = dict(self.stat_tensors())
        super()._apply(fn, recurse)
        for name, tensor in self.stat_tensors():  # moves with the module, stays double
            if tensor.dtype != torch.float64 and not tensor.is_meta:
                setattr(self, name, kept[name].to(tensor.device))
        return self


class TimedModule(ComponentModule[C]):
    """The module of a component that uses times: in training ``train_on`` runs, not ``forward``."""

    def time_marks(self, times: Tensor, sequences: int) -> Tensor:
        """What it makes of the times [T] of its rows: whole numbers above zero, [T, sequences]."""
        raise NotImplementedError

    def train_on(self, x: Tensor, marks: Tensor) -> Tensor:
        """As forward, for x [T, N, D] with ``marks`` [T, N], which are 0 in rows that nothing depends on."""
        raise NotImplementedError


def in_blocks(x: Tensor, blocks: int) -> Tensor:
    """[T, N, D] -> [T, N, blocks, D / blocks]; unlike ``unflatten``, it may be traced."""
    return x.reshape(x.size(0), x.size(1), blocks, -1)


def join_blocks(x: Tensor) -> Tensor:
    """[T, N, blocks, D] -> [T, N, blocks * D]."""
    return x.reshape(x.size(0), x.size(1), -1)

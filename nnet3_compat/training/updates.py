"""What the derivatives of a minibatch mean for the parameters of each kind of component.

An update watches its module while the network runs forward and backward; ``direction`` then says, for each parameter,
which way to go. A plain gradient, or, as nnet3's components have it, a natural gradient on both sides: of the inputs
and of the derivatives at the output (nnet3/nnet-simple-component.cc, nnet-tdnn-component.cc and others).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from nnet3_compat.modules.base import ComponentModule
from nnet3_compat.modules.tdnn import Tdnn
from nnet3_compat.training.natural_gradient import OnlineNaturalGradient
from nnet3_compat.training.rows import Rows


class Update:
    """The plain gradient.

    Attributes:
        module: whose parameters these are.
        names: the parameters, in the order in which ``direction`` gives them.
        estimates: of natural gradient, where it is used.
        frozen: whether they stay as they are.
    """

    def __init__(self, module: ComponentModule[Any]) -> None:
        self.module = module
        self.names = [name for name in module.PARAMS if getattr(module, name).numel()]
        self.estimates: list[OnlineNaturalGradient] = []
        self.frozen = False

    @property
    def parameters(self) -> list[Tensor]:
        return [getattr(self.module, name) for name in self.names]

    def direction(self) -> list[Tensor] | None:
        """The direction of ascent for each parameter; None when there were no derivatives since the last call."""
        gradients = [parameter.grad for parameter in self.parameters]
        for parameter in self.parameters:
            parameter.grad = None
        if any(gradient is None for gradient in gradients):
            return None
        return [gradient for gradient in gradients if gradient is not None]

    def forget(self) -> None:
        """Drops what was seen since the last call of ``direction``."""
        for parameter in self.parameters:
            parameter.grad = None


class PlainUpdate(Update):
    """For components without a rule of their own, and where a component's natural gradient is switched off."""


class WatchingUpdate(Update):
    """Made of what went in and of the derivatives at the output, not of the parameters' gradients."""

    def __init__(self, module: ComponentModule[Any]) -> None:
        super().__init__(module)
        self._seen: list[tuple[list[Tensor], Tensor]] = []
        for parameter in self.parameters:
            parameter.requires_grad_(False)
        if isinstance(module, Tdnn):
            module.observers = [*(module.observers or ()), self._observe]
        else:
            module.watched().register_forward_hook(self._hook)

    def _hook(self, module: nn.Module, args: tuple[Any, ...], output: Tensor) -> None:
        if self.module.training:
            self._observe(args[0] if isinstance(args[0], list) else [args[0]], output)

    def _observe(self, inputs: list[Tensor], output: Tensor) -> None:
        if not torch.is_grad_enabled():
            return
        if not output.requires_grad:
            output.requires_grad_()
        blocks = [x.detach() for x in inputs]

        def remember(gradient: Tensor) -> None:
            self._seen.append((blocks, gradient.detach()))

        output.register_hook(remember)

    def forget(self) -> None:
        self._seen = []

    def seen(self) -> tuple[list[Tensor], Tensor] | None:
        """Inputs (one or more blocks [..., D]) and output derivatives since the last call; of all calls together.

        Estimates are in single precision, also where autocast computes in sixteen bits.
        """
        taken = [([_at_least_single(x) for x in inputs], _at_least_single(made)) for inputs, made in self._seen]
        self._seen = []
        if not taken:
            return None
        if len(taken) == 1:
            return taken[0]
        blocks = [
            torch.cat([_matrix(x) for x in parts]) for parts in zip(*(inputs for inputs, _ in taken), strict=True)
        ]
        return blocks, torch.cat([_matrix(gradient) for _, gradient in taken])


def _at_least_single(x: Tensor) -> Tensor:
    return x.float() if x.element_size() < 4 else x


def _matrix(x: Tensor) -> Tensor:
    """[..., D] -> [rows, D]."""
    return x.reshape(-1, x.shape[-1])


class AffineUpdate(WatchingUpdate):
    """y = W [x_1, x_2, ...] + b, with or without b: the product of two preconditioned matrices."""

    def __init__(
        self, module: ComponentModule[Any], inputs: OnlineNaturalGradient, outputs: OnlineNaturalGradient
    ) -> None:
        super().__init__(module)
        self.inputs, self.outputs = self.estimates = [inputs, outputs]

    def direction(self) -> list[Tensor] | None:
        seen = self.seen()
        if seen is None:
            return None
        blocks, derivative = [_matrix(x) for x in seen[0]], _matrix(seen[1]).contiguous()
        x, y = Rows(blocks, ones=len(self.names) == 2), Rows([derivative])
        right, left = self.inputs.precondition(x, self.frozen), self.outputs.precondition(y, self.frozen)
        made = left.rows_(right.columns_(x.transposed_times(derivative))).mul_(left.scale * right.scale)
        return [made[:, :-1], made[:, -1]] if x.ones else [made]


class RowUpdate(WatchingUpdate):
    """A vector that each row has a derivative of, say offsets: the sum of the preconditioned rows."""

    def __init__(
        self,
        module: ComponentModule[Any],
        derivatives: list[tuple[OnlineNaturalGradient, Callable[[Tensor, Tensor], Tensor]]],
    ) -> None:
        """``derivatives``: per parameter its estimate, and what makes [rows, size] of input and output derivative."""
        super().__init__(module)
        self._derivatives = derivatives
        self.estimates = [estimate for estimate, _ in derivatives]

    def direction(self) -> list[Tensor] | None:
        seen = self.seen()
        if seen is None:
            return None
        made = []
        for parameter, (estimate, derivative) in zip(self.parameters, self._derivatives, strict=True):
            rows = derivative(_matrix(seen[0][0]), _matrix(seen[1])).reshape(-1, parameter.numel())
            preconditioned = estimate.precondition(Rows([rows]), self.frozen)
            total = preconditioned.columns_(rows.sum(0, keepdim=True)).mul_(preconditioned.scale)
            made.append(total.view_as(parameter))
        return made


class GradientUpdate(Update):
    """The gradient of all parameters as one matrix [W, b], preconditioned by its rows and perhaps by its columns."""

    def __init__(
        self, module: ComponentModule[Any], rows: OnlineNaturalGradient, columns: OnlineNaturalGradient | None = None
    ) -> None:
        super().__init__(module)
        self._rows, self._columns = rows, columns
        self.estimates = [rows] if columns is None else [rows, columns]

    def direction(self) -> list[Tensor] | None:
        gradients = super().direction()
        if gradients is None:
            return None
        matrix = gradients[0] if len(gradients) == 1 else torch.cat([gradients[0], gradients[1].unsqueeze(1)], 1)
        for estimate in (self._rows, self._columns):
            if estimate is not None:
                preconditioned = estimate.precondition(Rows([matrix]), self.frozen)
                matrix = preconditioned.columns_(matrix).mul_(preconditioned.scale)
            matrix = matrix.t()  # twice: back again
        return [matrix] if len(gradients) == 1 else [matrix[:, :-1], matrix[:, -1]]

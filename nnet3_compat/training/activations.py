"""How nonlinearities behave: sums of their values and derivatives, and self-repair of units that got stuck.

Where a unit's mean derivative is below a threshold, it is saturated (or, for a rectified linear unit, always off; above
another threshold, always on), and a small term is added to the derivative of its input, which pushes it back
(nnet3/nnet-simple-component.cc, RepairGradients; cudamatrix/cu-math.cc, BackpropLstmNonlinearity).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from nnet3_compat.components.nonlinear import UNSET_THRESHOLD
from nnet3_compat.modules.base import ComponentModule
from nnet3_compat.modules.nonlinear import Nonlinear, RectifiedLinear, Sigmoid, Softmax, Tanh
from nnet3_compat.modules.recurrent import GruNonlinearity, LstmNonlinearity, OutputGruNonlinearity

Chance = Callable[[str, float], bool]
"""Whether something, which has a name, is to happen now, with some probability."""

REPAIR_PROBABILITY = 0.5
DEFAULT_THRESHOLDS = {"sigmoid": (0.05, None), "tanh": (0.2, None), "relu": (0.05, 0.95), "softmax": (None, None)}


def derivative(kind: str, y: Tensor) -> Tensor:
    """Of the nonlinearity, from its value."""
    if kind == "sigmoid":
        return y * (1.0 - y)
    return 1.0 - y * y if kind == "tanh" else (y > 0.0).to(y.dtype)


def repair_term(kind: str, y: Tensor, push: Tensor) -> Tensor:
    """What is added to the derivative of the input, ``push`` per unit: towards zero, or straight up or down."""
    if kind == "sigmoid":
        return (1.0 - 2.0 * y) * push
    return -y * push if kind == "tanh" else push


class Activations:
    """Watches one nonlinearity.

    Attributes:
        storing, repairing: what is done in the next minibatch.
        empty: whether there are no statistics yet, so that those of the first minibatch are stored.
    """

    empty = False

    def __init__(
        self,
        watched: nn.Module,
        stats: ComponentModule[Any],
        kind: str,
        thresholds: tuple[Any, Any],
        push: Any,
        part: slice | None = None,
    ) -> None:
        """``stats``: keeps the sums; ``part``: the rows of them that are this one's. ``thresholds``: lower and upper
        limit of the mean derivative, None: no limit; they and ``push`` are numbers, or tensors like the part."""
        self.stats, self.kind, self.part = stats, kind, part
        self.lower, self.upper = thresholds
        self.push = push
        self.storing = self.repairing = False
        watched.register_forward_pre_hook(self._before)
        watched.register_forward_hook(self._after)

    def _before(self, module: nn.Module, args: tuple[Tensor, ...]) -> tuple[Tensor, ...] | None:
        """A tensor of its own, so that who watches where it comes from sees its derivative with what is added."""
        return (args[0].view_as(args[0]),) if self.repairing and self.stats.training else None

    def _sums(self, name: str) -> Tensor:
        total: Tensor = getattr(self.stats, name)
        return total if self.part is None else total[self.part]

    def _after(self, module: nn.Module, args: tuple[Tensor, ...], output: Tensor) -> None:
        if not self.stats.training:
            return
        y = output.detach()
        if self.storing:
            values, derivatives = self._sums("value_sum"), self._sums("deriv_sum")
            rows = y.reshape(-1, *values.shape)
            values += rows.sum(0)
            if derivatives.numel():
                derivatives += derivative(self.kind, rows).sum(0)
        if self.repairing and args[0].requires_grad:
            args[0].register_hook(lambda gradient: gradient + self._repair(y))

    def _repair(self, y: Tensor) -> Tensor:
        push = self._push(y.numel() // self._sums("value_sum").numel())
        return repair_term(self.kind, y, push.to(y.dtype))

    def _push(self, rows: int) -> Tensor:
        """How each unit is pushed, in each of so many rows."""
        mean = self.mean_derivative()
        direction = torch.zeros_like(mean)
        if self.lower is not None:
            direction += (mean <= self.lower).double()
        if self.upper is not None:
            direction -= (mean > self.upper).double()
        self.count_repaired(direction.abs(), rows)
        return direction * self.push

    def mean_derivative(self) -> Tensor:
        return self._sums("deriv_sum") / self.stats.count.clamp(min=1.0)

    def count_repaired(self, repaired: Tensor, rows: int) -> None:
        """Notes which units were repaired, over how many rows."""
        raise NotImplementedError

    def before_minibatch(self, chance: Chance, name: str) -> None:
        """Decides what is done in the next minibatch."""
        raise NotImplementedError


class ComponentActivations(Activations):
    """A component that is nothing but a nonlinearity: stored in every second minibatch, repaired in every second."""

    stats: Nonlinear

    def __init__(self, module: Nonlinear, kind: str) -> None:
        component = module.component
        defaults = DEFAULT_THRESHOLDS[kind]
        given = (component.self_repair_lower_threshold, component.self_repair_upper_threshold)
        lower, upper = (d if g == UNSET_THRESHOLD else g for g, d in zip(given, defaults, strict=True))
        super().__init__(module, module, kind, (lower, upper), component.self_repair_scale / REPAIR_PROBABILITY)
        if isinstance(module, RectifiedLinear):
            module.watches = [*(module.watches or ()), self]
        self._blocks = component.dim // component.block_dim
        self.empty = bool(module.count == 0)
        for sums in ("value_sum",) if kind == "softmax" else ("value_sum", "deriv_sum"):
            if getattr(module, sums).numel() != component.dim:
                module.register_buffer(
                    sums, torch.zeros(component.dim, dtype=torch.float64, device=module.count.device)
                )
                self.empty = True

    def before_minibatch(self, chance: Chance, name: str) -> None:
        self.storing = self.empty or chance(f"statistics of {name}", 0.5)
        self.repairing = (
            self.kind != "softmax" and self.push != 0.0 and chance(f"self-repair of {name}", REPAIR_PROBABILITY)
        )
        self.empty = False

    def _after(self, module: nn.Module, args: tuple[Tensor, ...], output: Tensor) -> None:
        super()._after(module, args, output)
        if self.storing and self.stats.training:
            self.stats.count += output.numel() // output.shape[-1]

    def see_values(self, values: Tensor, derivatives: Tensor, rows: int) -> None:
        """See modules/rectified_norm.py."""
        if self.storing:
            self.stats.value_sum += values
            self.stats.deriv_sum += derivatives
            self.stats.count += rows

    def units_push(self, rows: int) -> Tensor | None:
        """See modules/rectified_norm.py."""
        return self._push(rows) if self.repairing else None

    def see_derivatives(self, squares: Tensor, rows: int) -> None:
        """See modules/rectified_norm.py."""

    def mean_derivative(self) -> Tensor:
        mean = super().mean_derivative()
        return mean if self._blocks == 1 else mean.view(self._blocks, -1).mean(0).repeat(self._blocks)

    def count_repaired(self, repaired: Tensor, rows: int) -> None:
        self.stats.num_dims_self_repaired += repaired.sum() / self._blocks
        self.stats.num_dims_processed += repaired.numel() / self._blocks


class GateActivations(Activations):
    """A nonlinearity inside a gated component, which counts its frames for all of them.

    Kaldi stores these statistics on the way back, those of other components on the way forward: rows that have no
    derivatives do not count here.
    """

    def __init__(self, *args: Any, counts: bool = True, **kwargs: Any) -> None:
        """``counts``: this one is to count frames."""
        super().__init__(*args, **kwargs)
        self._counts = counts

    def before_minibatch(self, chance: Chance, name: str) -> None:
        self.storing = self.repairing = chance(f"self-repair of {name}", REPAIR_PROBABILITY)

    def _after(self, module: nn.Module, args: tuple[Tensor, ...], output: Tensor) -> None:
        if not torch.is_grad_enabled():
            return
        super()._after(module, args, output)
        if self._counts and self.storing and self.stats.training:
            self.stats.count += output.numel() // self._sums("value_sum").numel()

    def count_repaired(self, repaired: Tensor, rows: int) -> None:
        total: Tensor = self.stats.self_repair_total
        if self.part is None:
            total += repaired.sum()
        else:
            total[self.part] += repaired.sum(1) * rows


class LstmActivations(GateActivations):
    """One of those of an LSTM, stored and repaired in every minibatch, by what was known before it."""

    def before_minibatch(self, chance: Chance, name: str) -> None:
        self.storing = self.repairing = True
        self._known = self._sums("deriv_sum") / (self.stats.count + 1.0)

    def mean_derivative(self) -> Tensor:
        return self._known


def activations_of(module: ComponentModule[Any]) -> list[Activations]:
    """What is to be watched in a component, if anything."""
    if isinstance(module, Sigmoid | Tanh | RectifiedLinear | Softmax):
        return [ComponentActivations(module, module.KIND)]
    if isinstance(module, LstmNonlinearity):
        return _lstm_activations(module)
    if isinstance(module, GruNonlinearity | OutputGruNonlinearity):
        component = module.component
        push = component.self_repair_scale / REPAIR_PROBABILITY
        limits = (component.self_repair_threshold, None)
        return [GateActivations(module.tanh, module, "tanh", limits, push)]
    return []


def _lstm_activations(module: LstmNonlinearity) -> list[Activations]:
    config = torch.as_tensor(module.component.self_repair_config, dtype=torch.float64)
    parts = (
        (module.gates, "sigmoid", slice(0, 2)),
        (module.update, "tanh", slice(2, 3)),
        (module.output_gate, "sigmoid", slice(3, 4)),
        (module.cell, "tanh", slice(4, 5)),
    )
    made: list[Activations] = []
    for watched, kind, part in parts:
        lower, push = (config[at : at + part.stop - part.start].unsqueeze(1) for at in (part.start, part.start + 5))
        counts = part.start == 0
        made.append(LstmActivations(watched, module, kind, (lower, None), push, part, counts=counts))
    return made


class OutputDerivatives:
    """Sums the squared derivatives at the output of a nonlinearity, in three of four minibatches."""

    def __init__(self, module: Nonlinear) -> None:
        self.module = module
        self.storing = False
        dim = module.component.dim
        self.empty = bool(module.oderiv_count == 0) or module.oderiv_sumsq.numel() != dim
        if module.oderiv_sumsq.numel() != dim:
            module.register_buffer("oderiv_sumsq", torch.zeros(dim, dtype=torch.float64, device=module.count.device))
        module.register_forward_hook(self._after)
        if isinstance(module, RectifiedLinear):
            module.watches = [*(module.watches or ()), self]

    def before_minibatch(self, chance: Chance, name: str) -> None:
        self.storing = self.empty or chance(f"output derivatives of {name}", 0.75)
        self.empty = False

    def _after(self, module: nn.Module, args: tuple[Tensor, ...], output: Tensor) -> None:
        if self.storing and self.module.training and output.requires_grad:
            output.register_hook(self._add)

    def _add(self, gradient: Tensor) -> None:
        rows = gradient.detach().reshape(-1, gradient.shape[-1])
        self.module.oderiv_sumsq += (rows * rows).sum(0)
        self.module.oderiv_count += rows.shape[0]

    def see_values(self, values: Tensor, derivatives: Tensor, rows: int) -> None:
        """See modules/rectified_norm.py."""

    def units_push(self, rows: int) -> Tensor | None:
        """See modules/rectified_norm.py."""
        return None

    def see_derivatives(self, squares: Tensor, rows: int) -> None:
        """See modules/rectified_norm.py."""
        if self.storing:
            self.module.oderiv_sumsq += squares
            self.module.oderiv_count += rows

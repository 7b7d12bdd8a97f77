"""nnet3's rules of training, around a network: what a minibatch's derivatives do to it (nnet3/nnet-training.cc).

    rules = TrainingRules(network, options, chance)
    rules.before_minibatch()
    ...                                       # the network forward and backward, derivatives of what is maximized
    rules.update(sequences)

With parameters p and learning rate r of a component:

    change  <- momentum * change + r * direction - 2 r * l2-regularize * sequences * p       (component_updates.py)
    p       <- p + (1 - momentum) * change, limited per component and overall                (max_change.py)
    statistics of batch norm are scaled down; some matrices are made more orthogonal         (semi_orthogonal.py)
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor

from nnet3_compat.modules.base import ComponentModule
from nnet3_compat.modules.composite import Composite
from nnet3_compat.modules.gradient import ClipGradient
from nnet3_compat.modules.nonlinear import Nonlinear
from nnet3_compat.modules.normalize import BatchNorm
from nnet3_compat.network.network import Network
from nnet3_compat.training.activations import Activations, Chance, OutputDerivatives, activations_of
from nnet3_compat.training.component_updates import make_update
from nnet3_compat.training.max_change import MaxChange
from nnet3_compat.training.optimizers import TorchOptimizer
from nnet3_compat.training.options import TrainerOptions
from nnet3_compat.training.semi_orthogonal import constrain
from nnet3_compat.training.updates import Update


class TrainingRules:
    """Watches a network's components in training, and changes their parameters.

    Attributes:
        max_change: the limits, which count how often they were reached.
        optimizer: PyTorch's in the place of nnet3's own, or None.
        reduce: where several processes train one network, adds up the directions of all, in place.
    """

    def __init__(
        self,
        network: Network,
        options: TrainerOptions,
        chance: Chance,
        quiet: bool = False,
        semi_orthogonal: bool = True,
        limits_of_components: bool = True,
        frozen: Collection[str] = (),
    ) -> None:
        """``chance``: decides what is left to chance. ``quiet``: no message about single minibatches.

        ``semi_orthogonal``: whether matrices are made so that ask for it. ``limits_of_components``: whether components'
        own max-change counts. ``frozen``: components whose parameters stay.
        """
        self._options, self._chance, self._quiet = options, chance, quiet
        self._semi_orthogonal = semi_orthogonal
        self._modules, self._frozen = network.modules_by_name(), frozenset(frozen)
        self._updates: dict[str, list[Update]] = {}
        self._watches: list[tuple[str, Activations | OutputDerivatives]] = []
        for name, module in self._modules.items():
            self._prepare(name, module)
        own = options.optimizer == "natural-gradient"
        self.optimizer = None if own else TorchOptimizer(options.optimizer, self._updates)
        self.reduce: Callable[[list[Tensor]], None] | None = None
        self._changes: dict[str, list[Tensor]] = {}
        limits = {
            name: self._modules[name].component.max_change if limits_of_components else 0.0 for name in self._updates
        }
        self.max_change = MaxChange(limits, options.max_param_change, quiet)

    def _prepare(self, name: str, module: ComponentModule[Any]) -> None:
        parts = _parts(module)
        for part in parts:
            if isinstance(part, BatchNorm):
                part.store_stats = self._options.store_component_stats
            if self._options.store_component_stats:
                self._watches += [(name, watch) for watch in activations_of(part)]
            if isinstance(part, Nonlinear):
                self._watches.append((name, OutputDerivatives(part)))
            if isinstance(part, ClipGradient):
                part.chance = partial(self._chance, f"self-repair of {name}")
        updatable = [part for part in parts if part.PARAMS and part.component.is_updatable]
        natural = self._options.optimizer == "natural-gradient"
        trained = [part for part in updatable if part.component.learning_rate != 0.0 and name not in self._frozen]
        updates = [make_update(part, natural) for part in trained]
        if updates:
            self._updates[name] = updates
        for part in updatable:
            if part not in trained:
                part.requires_grad_(False)

    def before_minibatch(self) -> None:
        """Decides what is done in the next one."""
        for name, watch in self._watches:
            watch.before_minibatch(self._chance, name)

    def set_learning_rate(self, rate: float, factors: Mapping[str, float] = MappingProxyType({})) -> None:
        """Of all components, times each one's own factor and that of ``factors``, where it is there."""
        for name, updates in self._updates.items():
            for update in updates:
                update.module.component.set_underlying_learning_rate(rate * factors.get(name, 1.0))

    def forget_minibatch(self) -> None:
        """What was seen since the last update is of no use."""
        for update in (update for updates in self._updates.values() for update in updates):
            update.forget()

    def update(self, sequences: int, backstitch_step: int = 0) -> bool:
        """Changes the parameters by what was seen since the last call; False where it was infinite or no number.

        ``sequences``: how many there were, for the L2 term. ``backstitch_step``: 0 none, 1 backwards, 2 forwards.
        """
        options, scale = self._options, self._options.backstitch_training_scale
        frozen, limit_scale, add_scale, l2_scale = {
            0: (False, 1.0, 1.0 - options.momentum, 1.0),
            1: (True, scale, -scale, 0.0),
            2: (False, 1.0 + scale, 1.0 + scale, 1.0 / (1.0 + scale)),
        }[backstitch_step]
        with torch.no_grad():
            self._collect(frozen, l2_scale * sequences * options.l2_regularize_factor)
            applied = self._apply(add_scale, limit_scale)
            if backstitch_step != 1:
                self._scale_batch_norm()
            if backstitch_step != 2 and self._semi_orthogonal:
                constrained = {name: module for name, module in self._modules.items() if name not in self._frozen}
                constrain(constrained, self._chance, self._quiet)
            self._forget(options.momentum if applied and not backstitch_step else 0.0)
        return applied

    def _collect(self, frozen: bool, l2_scale: float) -> None:
        """Adds what this minibatch asks for to the changes."""
        asked = self._asked(frozen, l2_scale)
        for name, updates in self._updates.items():
            changes = [asked[parameter] for update in updates for parameter in update.parameters]
            for change, before in zip(changes, self._changes.get(name, ()), strict=False):
                change.add_(before)
            self._changes[name] = changes

    def _asked(self, frozen: bool, l2_scale: float) -> dict[Tensor, Tensor]:
        """For each parameter, learning rate times direction, with the L2 term."""
        made: dict[Tensor, Tensor] = {}
        decays: list[tuple[Tensor, float]] = []
        directions = self._directions(frozen)
        for update in directions:
            component: Any = update.module.component
            rate, decay = component.learning_rate, -2.0 * l2_scale * component.l2_regularize
            for parameter, change in zip(update.parameters, directions[update], strict=True):
                if self.optimizer and not self.optimizer.l2_apart:
                    made[parameter] = change.add_(parameter, alpha=decay)
                else:
                    made[parameter] = change if self.optimizer else change.mul_(rate)
                    decays.append((parameter, decay * rate))
        if self.optimizer:
            made = self.optimizer.changes(made)
        for parameter, decay in decays:
            if decay:
                made[parameter].add_(parameter, alpha=decay)
        return made

    def _directions(self, frozen: bool) -> dict[Update, list[Tensor]]:
        made = {}
        for update in (update for updates in self._updates.values() for update in updates):
            update.frozen = frozen
            made[update] = update.direction() or [torch.zeros_like(parameter) for parameter in update.parameters]
        if self.reduce is not None:
            self.reduce([direction for directions in made.values() for direction in directions])
        return made

    def _apply(self, scale: float, limit_scale: float) -> bool:
        factors = self.max_change.factors(self._changes, scale, limit_scale)
        if factors is None:
            return False
        for name, updates in self._updates.items():
            parameters = [parameter for update in updates for parameter in update.parameters]
            for parameter, change in zip(parameters, self._changes[name], strict=True):
                parameter.add_(change, alpha=factors[name])
        return True

    def _forget(self, momentum: float) -> None:
        if momentum == 0.0:
            self._changes = {}
        for changes in self._changes.values():
            for change in changes:
                change.mul_(momentum)

    def _scale_batch_norm(self) -> None:
        for module in self._modules.values():
            for part in _parts(module):
                if isinstance(part, BatchNorm):
                    for _, stats in part.stat_tensors():
                        stats.mul_(self._options.batchnorm_stats_scale)

    def state_dict(self) -> dict[str, Any]:
        """Estimates of natural gradient and momentum: all that is neither parameter nor statistic of the network."""
        estimates = {
            name: [estimate.state_dict() for update in updates for estimate in update.estimates]
            for name, updates in self._updates.items()
        }
        return {"estimates": estimates, "changes": self._changes, "empty": [watch.empty for _, watch in self._watches]}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Goes on from what ``state_dict`` gave, for a network with the same components."""
        for name, updates in self._updates.items():
            mine = [estimate for update in updates for estimate in update.estimates]
            for estimate, saved in zip(mine, state["estimates"][name], strict=True):
                estimate.load_state_dict(saved)
        self._changes = state["changes"]
        for (_, watch), empty in zip(self._watches, state["empty"], strict=True):
            watch.empty = empty


def _parts(module: ComponentModule[Any]) -> list[Any]:
    """The module, or those that it is made of."""
    return list(module.parts) if isinstance(module, Composite) else [module]

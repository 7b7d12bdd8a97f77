"""The trainer: a minibatch at a time, nnet3's rules in Kaldi's order (nnet3/nnet-training.cc, nnet-chain-training.cc).

For each minibatch, with parameters p and learning rate r of a component:

    change  <- momentum * change + r * direction - 2 r * l2-regularize * sequences * p       (component_updates.py)
    p       <- p + (1 - momentum) * change, limited per component and overall                (max_change.py)
    statistics of batch norm are scaled down; some matrices are made more orthogonal         (semi_orthogonal.py)

Backstitch, where it is on, first takes a step backwards, then a longer one forwards from there.
"""

from __future__ import annotations

import random
from typing import Any, Generic, TypeVar

import torch
from torch import Tensor

from kaldi_bridge.errors import KaldiError
from nnet3_compat.example_batch import compute_outputs
from nnet3_compat.modules.base import ComponentModule
from nnet3_compat.modules.composite import Composite
from nnet3_compat.modules.nonlinear import Nonlinear
from nnet3_compat.modules.normalize import BatchNorm
from nnet3_compat.network import Network
from nnet3_compat.nnet import Nnet
from nnet3_compat.training.activations import Activations, Chance, OutputDerivatives, activations_of
from nnet3_compat.training.component_updates import make_update
from nnet3_compat.training.max_change import MaxChange
from nnet3_compat.training.objectives import OutputObjective, TrainingObjective
from nnet3_compat.training.optimizers import OPTIMIZERS, TorchOptimizer
from nnet3_compat.training.options import TrainerOptions
from nnet3_compat.training.progress import OutputProgress
from nnet3_compat.training.semi_orthogonal import constrain
from nnet3_compat.training.updates import Update

E = TypeVar("E")


class Trainer(Generic[E]):
    """Trains a network on examples, each of which is a minibatch.

        trainer = Trainer(nnet, ChainTraining(nnet, graph, chain_options), options)
        for example in examples:
            trainer.train(example)
        trainer.report()
        nnet = trainer.nnet()

    ``seed`` fixes all that is random, ``chance`` (for tests) replaces the decisions of the rules.
    """

    def __init__(
        self,
        nnet: Nnet,
        objective: TrainingObjective[E],
        options: TrainerOptions,
        seed: int = 0,
        device: torch.device | None = None,
        chance: Chance | None = None,
    ) -> None:
        _check(options)
        self.options, self.objective, self.device = options, objective, device
        if options.zero_component_stats:
            nnet = nnet.copy()
            for component in nnet.components.values():
                component.zero_stats()
        self.network = Network.from_nnet(nnet)
        self.network.to(device)
        self.network.train()
        self._random = random.Random(seed)
        self._seed = self._random.randrange(100000)
        self._chance = chance or (lambda what, probability: self._random.random() < probability)
        torch.manual_seed(seed)
        self._modules = self.network.modules_by_name()
        self._updates: dict[str, list[Update]] = {}
        self._watches: list[tuple[str, Activations | OutputDerivatives]] = []
        for name, module in self._modules.items():
            self._prepare(name, module)
        own = options.optimizer == "natural-gradient"
        self._optimizer = None if own else TorchOptimizer(options.optimizer, self._updates)
        if self._optimizer and options.optimizer_state:
            self._optimizer.load(options.optimizer_state)
        self._changes: dict[str, list[Tensor]] = {}
        limits = {name: self._modules[name].component.max_change for name in self._updates}  # type: ignore[attr-defined]
        self._max_change = MaxChange(limits, options.max_param_change)
        self._progress: dict[str, OutputProgress] = {}
        self.minibatches = 0

    def _prepare(self, name: str, module: ComponentModule) -> None:
        parts = _parts(module)
        for part in parts:
            if isinstance(part, BatchNorm):
                part.store_stats = self.options.store_component_stats
            if self.options.store_component_stats:
                self._watches += [(name, watch) for watch in activations_of(part)]
            if isinstance(part, Nonlinear):
                self._watches.append((name, OutputDerivatives(part)))
        updatable = [part for part in parts if part.PARAMS and part.component.is_updatable]
        natural = self.options.optimizer == "natural-gradient"
        updates = [make_update(part, natural) for part in updatable if part.component.learning_rate != 0.0]
        if updates:
            self._updates[name] = updates
        for part in updatable:
            if part.component.learning_rate == 0.0:
                part.requires_grad_(False)

    def nnet(self) -> Nnet:
        """The network as it is now."""
        return self.network.to_nnet()

    def train(self, example: E) -> None:
        """Changes the network by one minibatch.

        Raises:
            KaldiError: the example does not fit the network.
        """
        options = self.options
        scale, interval = options.backstitch_training_scale, options.backstitch_training_interval
        if scale > 0.0 and self.minibatches % interval == self._seed % interval:
            for step in (1, 2):
                torch.manual_seed(self._seed + self.minibatches)  # both steps with the same dropout masks
                self._random.seed(self._seed + self.minibatches)
                self._step(example, backstitch_step=step)
        else:
            self._step(example)
        self.minibatches += 1

    def _step(self, example: E, backstitch_step: int = 0) -> None:
        options, scale = self.options, self.options.backstitch_training_scale
        for name, watch in self._watches:
            watch.before_minibatch(self._chance, name)
        inputs = self.objective.inputs(example)
        outputs = compute_outputs(self.network, inputs, self.objective.wanted(example), self.device)
        with torch.no_grad():
            parts = self.objective.evaluate(example, {name: output.detach() for name, output in outputs.items()})
        torch.autograd.backward([outputs[part.name] for part in parts], [part.derivative for part in parts])
        self._note(parts, "_backstitch" if backstitch_step == 2 else "")
        sequences = int(inputs[0].indexes[-1, 0]) + 1
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
            if backstitch_step != 2:
                constrain(self._modules, self._chance)
            self._forget(options.momentum if applied and not backstitch_step else 0.0)

    def _note(self, parts: list[OutputObjective], suffix: str) -> None:
        for part in parts:
            name = part.name + suffix
            progress = self._progress.setdefault(name, OutputProgress(name, self.options.print_interval))
            progress.add(self.minibatches, part.weight, part.objective, part.auxiliary)

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
        for update in (update for updates in self._updates.values() for update in updates):
            component: Any = update.module.component
            rate, decay = component.learning_rate, -2.0 * l2_scale * component.l2_regularize
            update.frozen = frozen
            directions = update.direction()
            for i, parameter in enumerate(update.parameters):
                change = torch.zeros_like(parameter) if directions is None else directions[i]
                if self._optimizer and not self._optimizer.l2_apart:
                    made[parameter] = change.add_(parameter, alpha=decay)
                else:
                    made[parameter] = change if self._optimizer else change.mul_(rate)
                    decays.append((parameter, decay * rate))
        if self._optimizer:
            made = self._optimizer.changes(made)
        for parameter, decay in decays:
            if decay:
                made[parameter].add_(parameter, alpha=decay)
        return made

    def _apply(self, scale: float, limit_scale: float) -> bool:
        factors = self._max_change.factors(self._changes, scale, limit_scale)
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
                        stats.mul_(self.options.batchnorm_stats_scale)

    def report(self) -> bool:
        """Logs the objectives of all minibatches; whether there were any frames."""
        ok = False
        for name in sorted(self._progress):
            ok = self._progress[name].report_total() or ok
        self._max_change.report_totals()
        return ok

    def save_optimizer(self) -> None:
        """Writes the state of a PyTorch optimizer where the options say."""
        if self._optimizer and self.options.optimizer_state:
            self._optimizer.save(self.options.optimizer_state)


def _parts(module: ComponentModule) -> list[Any]:
    """The module, or those that it is made of."""
    return list(module.parts) if isinstance(module, Composite) else [module]


def _check(options: TrainerOptions) -> None:
    limits = {
        "print-interval": options.print_interval >= 1,
        "max-param-change": options.max_param_change >= 0.0,
        "momentum": 0.0 <= options.momentum < 1.0,
        "batchnorm-stats-scale": 0.0 <= options.batchnorm_stats_scale <= 1.0,
        "backstitch-training-scale": options.backstitch_training_scale >= 0.0,
        "backstitch-training-interval": options.backstitch_training_interval >= 1,
    }
    for name, ok in limits.items():
        if not ok:
            raise KaldiError(f"--{name}={getattr(options, name.replace('-', '_'))} is out of range")
    if options.optimizer not in OPTIMIZERS:
        raise KaldiError(f"--optimizer={options.optimizer} must be one of {', '.join(OPTIMIZERS)}")
    if options.backstitch_training_scale > 0.0 and options.momentum > 0.0:
        raise KaldiError("--backstitch-training-scale cannot be combined with --momentum")

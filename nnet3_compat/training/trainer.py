"""The trainer: a minibatch at a time, nnet3's rules (rules.py) in Kaldi's order (nnet3/nnet-chain-training.cc).

Backstitch, where it is on, first takes a step backwards, then a longer one forwards from there.
"""

from __future__ import annotations

import random
from typing import Generic, TypeVar

import torch

from kaldi_bridge.errors import KaldiError
from nnet3_compat.examples.batch import backpropagate, compute_outputs
from nnet3_compat.network.network import Network
from nnet3_compat.structure.nnet import Nnet
from nnet3_compat.training.activations import Chance
from nnet3_compat.training.objectives import OutputObjective, TrainingObjective
from nnet3_compat.training.optimizers import OPTIMIZERS
from nnet3_compat.training.options import TrainerOptions
from nnet3_compat.training.progress import OutputProgress
from nnet3_compat.training.rules import TrainingRules

E = TypeVar("E")


class Trainer(Generic[E]):
    """Trains a network on examples, each of which is a minibatch.

        trainer = Trainer(nnet, ChainTraining(nnet, graph, chain_options), options)
        for example in examples:
            trainer.train(example)
        trainer.report()
        nnet = trainer.nnet()

    ``seed`` fixes all that is random, ``chance`` (for tests) replaces the decisions of the rules. Without
    ``newer_rules`` components have no limits of their own and are not made orthogonal (see discriminative.py).
    """

    def __init__(
        self,
        nnet: Nnet,
        objective: TrainingObjective[E],
        options: TrainerOptions,
        seed: int = 0,
        device: torch.device | None = None,
        chance: Chance | None = None,
        newer_rules: bool = True,
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
        self._rules = TrainingRules(
            self.network, options, self._chance, semi_orthogonal=newer_rules, limits_of_components=newer_rules
        )
        if self._rules.optimizer and options.optimizer_state:
            self._rules.optimizer.load(options.optimizer_state)
        self._progress: dict[str, OutputProgress] = {}
        self.minibatches = 0

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
        self._rules.before_minibatch()
        inputs = self.objective.inputs(example)
        wanted, times = self.objective.wanted(example), self.options.deriv_times()
        outputs = compute_outputs(self.network, inputs, wanted, self.device, times)
        with torch.no_grad():
            parts = self.objective.evaluate(example, {name: output.detach() for name, output in outputs.items()})
        backpropagate([outputs[part.name] for part in parts], [part.derivative for part in parts])
        self._note(parts, "_backstitch" if backstitch_step == 2 else "")
        self._rules.update(int(inputs[0].indexes[-1, 0]) + 1, backstitch_step)

    def _note(self, parts: list[OutputObjective], suffix: str) -> None:
        for part in parts:
            name = part.name + suffix
            progress = self._progress.setdefault(
                name, OutputProgress(name, self.options.print_interval, self.objective.label)
            )
            progress.add(self.minibatches, part.weight, part.objective, part.auxiliary, part.counts)

    def report(self) -> bool:
        """Logs the objectives of all minibatches; whether there were any frames."""
        ok = False
        for name in sorted(self._progress):
            ok = self._progress[name].report_total() or ok
        self._rules.max_change.report_totals()
        return ok

    def save_optimizer(self) -> None:
        """Writes the state of a PyTorch optimizer where the options say."""
        if self._rules.optimizer and self.options.optimizer_state:
            self._rules.optimizer.save(self.options.optimizer_state)


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
    for name in ("optimize", "consolidate_model_update"):
        if not getattr(options, f"optimization_{name}"):
            raise KaldiError(
                f"--optimization.{name.replace('_', '-')}=false: a recurrence's parameters are updated by all of its "
                "steps at once here, and natural gradient by single steps would give other numbers"
            )
    if options.optimizer not in OPTIMIZERS:
        raise KaldiError(f"--optimizer={options.optimizer} must be one of {', '.join(OPTIMIZERS)}")
    if options.backstitch_training_scale > 0.0 and options.momentum > 0.0:
        raise KaldiError("--backstitch-training-scale cannot be combined with --momentum")

"""The average of the first n of some networks, for the n that is best on examples (nnet3bin/nnet3-combine.cc)."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from kaldi_bridge import log
from kaldi_bridge.errors import KaldiError
from nnet3_compat.components.normalize import BatchNormComponent
from nnet3_compat.examples.programs import CombineOptions
from nnet3_compat.model.model_file import read_nnet
from nnet3_compat.model.whole_network import add, scale, set_test_mode
from nnet3_compat.network.network import Network
from nnet3_compat.structure.nnet import Nnet
from nnet3_compat.training.activations import activations_of

E = TypeVar("E")
C = TypeVar("C", contravariant=True)


class Evaluation(Protocol[C]):
    """Objectives of a network over examples, in training mode but for what its file puts into test mode."""

    network: Network

    def add(self, example: C) -> None: ...

    def report(self) -> bool:
        """Logs the objectives; whether there were any frames."""

    def per_frame(self) -> float:
        """Sum of the objectives of all outputs divided by the sum of their weights."""


def combine(
    models: Sequence[str], examples: list[E], evaluate: Callable[[Nnet], Evaluation[E]], settings: CombineOptions
) -> Nnet:
    """Reads the networks, latest first, and averages them one after the other.

    Raises KaldiError where a network cannot be read, or has another structure.
    """
    if settings.max_objective_evaluations < 1:
        raise KaldiError("--max-objective-evaluations must be at least 1")

    def objective(nnet: Nnet) -> float:
        tested = nnet.copy()
        set_test_mode(tested, settings.batchnorm_test_mode or None, settings.dropout_test_mode or None)
        evaluation = evaluate(tested)
        for example in examples:
            evaluation.add(example)
        value = evaluation.per_frame()
        return value if math.isfinite(value) else -math.inf

    average = read_nnet(models[0])
    best, best_count = average, 1
    first = best_objective = objective(average)
    log.info(f"objective function using the last model is {first:g}")
    step = -(-len(models) // settings.max_objective_evaluations)
    for n, model in enumerate(models[1:], start=1):
        average = average.copy()
        scale(average, n / (n + 1))
        try:
            add(average, 1.0 / (n + 1), read_nnet(model))
        except KaldiError as error:
            raise KaldiError(f"{model} cannot be combined with {models[0]}: {error}") from None
        if n % step == 0 or n == len(models) - 1:
            value = objective(average)
            log.info(f"Combining last {n + 1} models, objective function is {value:g}")
            if value > best_objective:
                best, best_count, best_objective = average, n + 1, value
    log.info(f"Combining {best_count} nnets, objective function changed from {first:g} to {best_objective:g}")
    return best


def recompute_stats(nnet: Nnet, examples: list[E], evaluate: Callable[[Nnet], Evaluation[E]]) -> Nnet:
    """The network with statistics of just these examples, where it has batch norm."""
    if not any(isinstance(component, BatchNormComponent) for component in nnet.components.values()):
        return nnet
    log.info("Recomputing stats on nnet (affects batch-norm)")
    nnet = nnet.copy()
    for component in nnet.components.values():
        component.zero_stats()
    evaluation = evaluate(nnet)
    for module in evaluation.network.modules_by_name().values():
        for activations in activations_of(module):
            activations.storing = True
    for example in examples:
        evaluation.add(example)
    evaluation.report()
    log.info("Done recomputing stats.")
    return evaluation.network.to_nnet()

"""Discriminative training of networks on lattices (nnet3/nnet-discriminative-training.cc).

Kaldi's trainer for it is older than nnet3's others: it knows natural gradient, momentum and one limit of the change of
all parameters, but none of what a component asks for beside its learning rate (limits of its own, L2, orthogonality).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.examples.discriminative_examples import DiscriminativeExample
from kaldi_bridge.examples.frame_examples import NnetIo
from nnet3_compat.discriminative.objective import Discriminative
from nnet3_compat.evaluation.frame_objective import objective_types
from nnet3_compat.structure.nnet import Nnet
from nnet3_compat.training.objectives import OutputObjective
from nnet3_compat.training.options import DiscriminativeProgramOptions
from nnet3_compat.training.program import train


class DiscriminativeTraining:
    """MMI, MPFE or sMBR, and the cross-entropy of NAME-xent where ``xent_regularize`` is not zero."""

    def __init__(self, nnet: Nnet, criterion: Discriminative, deriv_weights: bool = True) -> None:
        self._known = objective_types(nnet)
        self._criterion, self._deriv_weights = criterion, deriv_weights
        self.label = criterion.options.criterion

    def inputs(self, example: DiscriminativeExample) -> list[NnetIo]:
        """Features, and i-vectors where there are any."""
        return example.inputs

    def wanted(self, example: DiscriminativeExample) -> dict[str, np.ndarray]:
        """Each output of the example, and its -xent where that is trained. Raises KaldiError for an unknown one."""
        found = {}
        for part in example.outputs:
            xent = self._criterion.options.xent_regularize != 0.0
            for name in [part.name, f"{part.name}-xent"] if xent else [part.name]:
                if name not in self._known:
                    raise KaldiError(f"Network has no output named {name}")
                found[name] = part.indexes
        return found

    def evaluate(self, example: DiscriminativeExample, outputs: dict[str, Tensor]) -> list[OutputObjective]:
        """The criterion of each output, and cross-entropy against its alignment."""
        made = []
        for part in example.outputs:
            result = self._criterion.evaluate(part.supervision, outputs[part.name])
            xent_name, factor = f"{part.name}-xent", self._criterion.options.xent_regularize
            cross_entropy = result.cross_entropy(outputs[xent_name]) if factor else 0.0
            xent_derivative = factor * result.cross_entropy_derivative() if factor else result.derivative
            if self._deriv_weights and part.deriv_weights.size:
                weights = torch.from_numpy(part.deriv_weights)
                result = result.weighted(weights)
                xent_derivative = xent_derivative * weights.to(xent_derivative).unsqueeze(1)
            if factor:
                made.append(OutputObjective(xent_name, result.weight, cross_entropy, 0.0, xent_derivative))
            counts = result.positive + result.negative
            made.append(
                OutputObjective(part.name, result.weight, result.objective, result.l2_term, result.derivative, counts)
            )
        return made


def train_discriminatively(
    nnet: Nnet,
    objective: DiscriminativeTraining,
    examples: Iterable[tuple[str, DiscriminativeExample]],
    options: DiscriminativeProgramOptions,
    nnet_out: str,
) -> int:
    """Trains on all examples and writes the raw network; 1 where there were no frames."""
    older = replace(options, l2_regularize_factor=0.0, batchnorm_stats_scale=1.0, backstitch_training_scale=0.0)
    return train(nnet, objective, examples, older, nnet_out, newer_rules=False)

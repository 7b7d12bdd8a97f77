"""Objectives of training: what of the network an example needs, and the derivatives at the outputs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

import numpy as np
import torch
from torch import Tensor

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.examples.chain_examples import ChainExample
from kaldi_bridge.examples.frame_examples import NnetExample, NnetIo
from kaldi_bridge.io.sparse import to_dense
from nnet3_compat.chain.denominator_graph import DenominatorGraphs
from nnet3_compat.chain.forgetting import older_posteriors
from nnet3_compat.chain.objective import chain_objective
from nnet3_compat.chain.options import ChainOptions
from nnet3_compat.evaluation.frame_objective import objective_types
from nnet3_compat.structure.nnet import Nnet
from nnet3_compat.training.progress import LOG_PROB

E = TypeVar("E", contravariant=True)


@dataclass
class OutputObjective:
    """Of one output for a minibatch: sums over its frames, and the derivative [rows, dim] of what is maximized.

    ``counts``: of discriminative objectives, the sum of the absolute derivatives.
    """

    name: str
    weight: float
    objective: float
    auxiliary: float
    derivative: Tensor
    counts: float = 0.0


class TrainingObjective(Protocol[E]):
    """What is maximized.

    Attributes:
        label: what scripts find its total by, in a message.
    """

    label: str

    def inputs(self, example: E) -> list[NnetIo]:
        """What the example feeds to the network: features [rows, dim] with an index (n, t, x) for each row."""

    def wanted(self, example: E) -> dict[str, np.ndarray]:
        """Output -> indexes [rows, 3]; raises KaldiError where the network has no such output."""

    def evaluate(self, example: E, outputs: dict[str, Tensor]) -> list[OutputObjective]:
        """``outputs``: those that were wanted, [rows, dim], without gradients."""


class ChainTraining:
    """LF-MMI, and the cross-entropy of NAME-xent where ``xent_regularize`` is not zero (nnet-chain-training.cc)."""

    label = LOG_PROB

    def __init__(
        self, nnet: Nnet, graphs: DenominatorGraphs, options: ChainOptions, deriv_weights: bool = True
    ) -> None:
        self._known = objective_types(nnet)
        self._graphs, self._options, self._deriv_weights = graphs, options, deriv_weights

    def inputs(self, example: ChainExample) -> list[NnetIo]:
        """Features, and i-vectors where there are any."""
        return example.network_inputs

    def wanted(self, example: ChainExample) -> dict[str, np.ndarray]:
        """Each output of the example, and its -xent where that is trained. Raises KaldiError for an unknown one."""
        found = {}
        for part in example.outputs:
            for name in [part.name, f"{part.name}-xent"] if self._options.xent_regularize else [part.name]:
                if name not in self._known:
                    raise KaldiError(f"Network has no output named {name}")
                found[name] = part.indexes
        return found

    def evaluate(self, example: ChainExample, outputs: dict[str, Tensor]) -> list[OutputObjective]:
        """LF-MMI (chain/chain-training.cc) of each output, and cross-entropy against its numerator posteriors."""
        made = []
        for part in example.outputs:
            output, factor = outputs[part.name], self._options.xent_regularize
            result = chain_objective(self._graphs.of(part.name), part.supervision, output, self._options)
            xent_name = f"{part.name}-xent"
            cross_entropy = result.cross_entropy(outputs[xent_name]) if factor else 0.0
            lwf_scale = self._options.lwf_scale + self._options.lwf_den_scale
            if lwf_scale and (older := older_posteriors(example, output)) is not None:
                result = replace(result, derivative=result.derivative + lwf_scale * older)
            if self._deriv_weights and part.deriv_weights.size:
                result = result.weighted(torch.from_numpy(part.deriv_weights))
            if factor:
                derivative = factor * result.numerator_posteriors
                made.append(OutputObjective(xent_name, result.weight, float(cross_entropy), 0.0, derivative))
            objective, l2_term = float(result.objective), float(result.l2_term)
            made.append(OutputObjective(part.name, result.weight, objective, l2_term, result.derivative))
        return made


class FrameTraining:
    """A target for each frame, e.g. cross-entropy (nnet-training.cc, ComputeObjectiveFunction)."""

    label = LOG_PROB

    def __init__(self, nnet: Nnet) -> None:
        self._types = objective_types(nnet)

    def inputs(self, example: NnetExample) -> list[NnetIo]:
        """All of the example that is no output of the network."""
        return [part for part in example.io if part.name not in self._types]

    def wanted(self, example: NnetExample) -> dict[str, np.ndarray]:
        """The outputs of the network that the example has targets for."""
        return {part.name: part.indexes for part in example.io if part.name in self._types}

    def evaluate(self, example: NnetExample, outputs: dict[str, Tensor]) -> list[OutputObjective]:
        """Of log-probabilities y and targets p: sum of p y, derivative p. Quadratic: -0.5 (p - y)^2, p - y.

        Raises:
            KaldiError: targets of another dimension than the output.
        """
        made = []
        for part in example.io:
            if part.name not in self._types:
                continue
            output = outputs[part.name]
            target = torch.from_numpy(to_dense(part.features)).to(output.device)
            if target.shape[1] != output.shape[1]:
                raise KaldiError(
                    f"Nnet versus example output dimension (num-classes) mismatch for '{part.name}': "
                    f"{output.shape[1]} (nnet) vs. {target.shape[1]} (egs)"
                )
            if self._types[part.name] == "quadratic":
                derivative, weight = target - output, float(len(output))
                objective = -0.5 * float(derivative.square().sum())
            else:
                derivative, weight = target, float(target.sum())
                objective = float((output * target).sum())
            made.append(OutputObjective(part.name, weight, objective, 0.0, derivative))
        return made

"""Objectives with a target for each frame, and sums of them over examples (nnet3/nnet-diagnostics.cc)."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from kaldi_bridge import log
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.examples.frame_examples import NnetExample
from kaldi_bridge.io.sparse import to_dense
from nnet3_compat.examples.batch import compute_outputs
from nnet3_compat.network.network import Network
from nnet3_compat.structure.nnet import Nnet, OutputNode

_PLACE = "PrintTotalStats():nnet-diagnostics.cc:162"  # steps/libs/nnet3/report/log_parse.py looks for it


def objective_types(nnet: Nnet) -> dict[str, str]:
    """Output node -> "linear" or "quadratic"."""
    return {node.name: node.objective for node in nnet.nodes if isinstance(node, OutputNode)}


def frame_objective(kind: str, output: Tensor, target: Tensor) -> tuple[Tensor, float]:
    """(objective summed over the rows, weight). Linear: output . target, weight the sum of the targets, as for
    log-probabilities and posteriors; quadratic: -0.5 |target - output|^2, weight the number of rows.
    """
    if kind == "quadratic":
        return -0.5 * (target - output).square().sum(), float(len(output))
    return (output * target).sum(), float(target.sum())


@dataclass
class Total:
    """Sums of an output's objective over minibatches; ``weight`` in frames, ``by_dim`` [2, dim] where asked for."""

    objective: float = 0.0
    weight: float = 0.0
    by_dim: np.ndarray = field(default_factory=lambda: np.zeros((2, 0)))

    @property
    def per_frame(self) -> float:
        return self.objective / self.weight if self.weight else float("nan")


class FrameDiagnostics:
    """Sums of objectives and accuracies over examples."""

    def __init__(
        self,
        nnet: Nnet,
        accuracy: bool = True,
        per_dim: bool = False,
        train: bool = False,
        device: torch.device | None = None,
    ) -> None:
        """``train``: components that the file does not put into test mode compute as in training."""
        self.network = Network.from_nnet(nnet)
        self.network.to(device).train(train)
        self._device = device
        self.types = objective_types(nnet)
        self.objectives: dict[str, Total] = {}
        self.accuracies: dict[str, Total] = {}
        self._accuracy = accuracy
        self._per_dim = per_dim

    def add(self, example: NnetExample, gradient: bool = False) -> None:
        """Adds one example; ``gradient`` adds the derivatives of its objective to those of the parameters."""
        targets = {part.name: part for part in example.io if part.name in self.types}
        if not targets:
            raise KaldiError(f"the network has no output of the example's {', '.join(p.name for p in example.io)}")
        inputs = [part for part in example.io if part.name not in targets]
        with torch.set_grad_enabled(gradient):
            wanted = {n: p.indexes for n, p in targets.items()}
            outputs = compute_outputs(self.network, inputs, wanted, self._device)
            for name, part in targets.items():
                output, target = outputs[name], torch.from_numpy(to_dense(part.features)).to(self._device)
                if output.shape != target.shape:
                    raise KaldiError(
                        f"Nnet versus example output dimension (num-classes) mismatch for '{name}': "
                        f"{output.shape[1]} (nnet) vs. {target.shape[1]} (egs)"
                    )
                objective, weight = frame_objective(self.types[name], output, target)
                if gradient:
                    objective.backward(retain_graph=len(targets) > 1)
                total = self.objectives.setdefault(name, Total())
                total.objective += float(objective.detach())
                total.weight += weight
                if self._accuracy:
                    self._add_accuracy(name, output.detach(), target)

    def _add_accuracy(self, name: str, output: Tensor, target: Tensor) -> None:
        total = self.accuracies.setdefault(name, Total(by_dim=np.zeros((2, output.shape[1]))))
        weights, best = target.sum(1), target.argmax(1)
        right = weights * (output.argmax(1) == best)
        total.weight += float(weights.sum())
        total.objective += float(right.sum())
        for row, values in enumerate((right, weights)):
            total.by_dim[row] += np.bincount(best.cpu().numpy(), values.cpu().numpy(), output.shape[1])

    def per_frame(self) -> float:
        """Objectives of all outputs, divided by their weights."""
        weight = sum(total.weight for total in self.objectives.values())
        return sum(total.objective for total in self.objectives.values()) / weight if weight else float("nan")

    def gradient(self) -> Nnet:
        """A network whose parameters are the derivatives that were added up."""
        made = copy.deepcopy(self.network)
        for target, source in zip(made.parameters(), self.network.parameters(), strict=True):
            with torch.no_grad():
                target.copy_(torch.zeros_like(source) if source.grad is None else source.grad)
        return made.to_nnet()

    def report(self) -> bool:
        """Logs everything the way Kaldi does; whether there were any frames."""
        for name, total in self.objectives.items():
            kind = "log-likelihood" if self.types[name] == "linear" else "objective"
            over = f"per frame, over {total.weight:g} frames."
            log.info(f"Overall {kind} for '{name}' is {total.per_frame:g} {over}", _PLACE)
        for name, total in self.accuracies.items():
            over = f"per frame, over {total.weight:g} frames."
            log.info(f"Overall accuracy for '{name}' is {total.per_frame:g} {over}", _PLACE)
            if self._per_dim:
                right, weight = total.by_dim
                values = np.where(weight != 0, right / np.where(weight != 0, weight, 1.0), -1.0)
                shown = "".join(f"{value:g} " for value in values)
                log.info(f"Overall per-dim accuracy vector for '{name}' is  [ {shown}]\n {over}")
        return any(total.weight > 0 for total in self.objectives.values())

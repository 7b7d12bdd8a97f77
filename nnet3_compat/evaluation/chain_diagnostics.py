"""Sums of the chain objective over examples (nnet3/nnet-chain-diagnostics.cc)."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from kaldi_bridge import log
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.examples.chain_examples import ChainExample
from nnet3_compat.chain.denominator_graph import DenominatorGraphs
from nnet3_compat.chain.forgetting import older_posteriors
from nnet3_compat.chain.objective import chain_objective
from nnet3_compat.chain.options import ChainOptions
from nnet3_compat.evaluation.frame_objective import objective_types
from nnet3_compat.examples.batch import compute_outputs
from nnet3_compat.network.network import Network
from nnet3_compat.structure.nnet import Nnet

_PLACE = "PrintTotalStats():nnet-chain-diagnostics.cc:239"  # steps/libs/nnet3/report/log_parse.py looks for it


@dataclass
class ChainTotal:
    """Sums of an output's objective over minibatches; ``weight`` in frames."""

    objective: float = 0.0
    l2_term: float = 0.0
    weight: float = 0.0
    lwf_term: float = 0.0

    @property
    def per_frame(self) -> float:
        """With the L2 term."""
        return (self.objective + self.l2_term) / self.weight if self.weight else float("nan")


class ChainDiagnostics:
    """Totals of each output: LF-MMI's, and the cross-entropy of NAME-xent where ``xent_regularize`` is not zero."""

    def __init__(
        self,
        nnet: Nnet,
        graphs: DenominatorGraphs,
        options: ChainOptions,
        train: bool = False,
        device: torch.device | None = None,
    ) -> None:
        """``train``: components that the file does not put into test mode compute as in training."""
        self.network = Network.from_nnet(nnet)
        self.network.to(device).train(train)
        self._device = device
        self._outputs = objective_types(nnet)
        self._graphs = graphs
        self._options = options
        self.totals: dict[str, ChainTotal] = {}

    @torch.no_grad()
    def add(self, example: ChainExample) -> None:
        """Adds one example, a minibatch as a rule."""
        wanted = {}
        for part in example.outputs:
            names = [part.name, f"{part.name}-xent"] if self._options.xent_regularize else [part.name]
            for name in names:
                if name not in self._outputs:
                    raise KaldiError(f"Network has no output named {name}")
                wanted[name] = part.indexes
        outputs = compute_outputs(self.network, example.network_inputs, wanted, self._device)
        for part in example.outputs:
            graph = self._graphs.of(part.name)
            result = chain_objective(graph, part.supervision, outputs[part.name], self._options)
            total = self.totals.setdefault(part.name, ChainTotal())
            total.objective += float(result.objective)
            total.l2_term += float(result.l2_term)
            total.weight += result.weight
            if (older := older_posteriors(example, outputs[part.name])) is not None:
                are_probabilities = abs(float(older[0].sum()) - 1.0) < 0.1
                total.lwf_term += float((outputs[part.name] * (older if are_probabilities else older.exp())).sum())
            if self._options.xent_regularize:
                xent = self.totals.setdefault(f"{part.name}-xent", ChainTotal())
                xent.objective += float(result.cross_entropy(outputs[f"{part.name}-xent"]))
                xent.weight += result.weight

    def per_frame(self) -> float:
        """Objectives and L2 terms of all outputs, divided by their weights."""
        totals = self.totals.values()
        weight = sum(total.weight for total in totals)
        return sum(total.objective + total.l2_term for total in totals) / weight if weight else float("nan")

    def report(self) -> bool:
        """Logs everything the way Kaldi does; whether there were any frames."""
        for name, total in self.totals.items():
            value = f"{total.objective / total.weight:g}"
            if total.l2_term:
                value += f" + {total.l2_term / total.weight:g} = {total.per_frame:g}"
            over = f"per frame, over {total.weight:g} frames."
            log.info(f"Overall log-probability for '{name}' is {value} {over}", _PLACE)
            if total.lwf_term:
                log.info(f"Total LWF is {total.lwf_term:g} and it is {total.lwf_term / total.weight:g} per frame.")
        return any(total.weight > 0 for total in self.totals.values())

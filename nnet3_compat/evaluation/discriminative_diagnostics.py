"""Sums of a discriminative objective over examples (nnet3/nnet-discriminative-diagnostics.cc)."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from kaldi_bridge import log
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.examples.discriminative_examples import DiscriminativeExample
from nnet3_compat.discriminative.objective import Discriminative, DiscriminativeObjective
from nnet3_compat.discriminative.options import AccumulationOptions
from nnet3_compat.evaluation.frame_objective import objective_types
from nnet3_compat.examples.batch import compute_outputs
from nnet3_compat.network.network import Network
from nnet3_compat.structure.nnet import Nnet

_PLACE = "PrintTotalStats():nnet-discriminative-diagnostics.cc:174"


@dataclass
class DiscriminativeTotal:
    """Sums over minibatches; see DiscriminativeObjective. ``gradients``, ``outputs`` [pdfs]: empty unless asked for."""

    objective: float = 0.0
    numerator: float = 0.0
    denominator: float = 0.0
    l2_term: float = 0.0
    weight: float = 0.0
    frames: int = 0
    positive: float = 0.0
    negative: float = 0.0
    gradients: np.ndarray = field(default_factory=lambda: np.zeros(0))
    outputs: np.ndarray = field(default_factory=lambda: np.zeros(0))

    def add(self, made: DiscriminativeObjective) -> None:
        for name in ("objective", "numerator", "denominator", "l2_term", "weight", "frames", "positive", "negative"):
            setattr(self, name, getattr(self, name) + getattr(made, name))


class DiscriminativeDiagnostics:
    """Totals of each output, and the cross-entropy of NAME-xent where ``xent_regularize`` is not zero."""

    def __init__(
        self, nnet: Nnet, criterion: Discriminative, options: AccumulationOptions, train: bool = False
    ) -> None:
        """``train``: components that the file does not put into test mode compute as in training."""
        self.network = Network.from_nnet(nnet).train(train)
        self._outputs, self._criterion, self._options = objective_types(nnet), criterion, options
        self._accumulates = options.num_pdfs > 0 and (options.accumulate_gradients or options.accumulate_output)
        if self._accumulates and options.num_pdfs != criterion.model.num_pdfs:
            raise KaldiError(f"--num-pdfs={options.num_pdfs}, but the model has {criterion.model.num_pdfs}")
        self.totals: dict[str, DiscriminativeTotal] = {}

    @torch.no_grad()
    def add(self, example: DiscriminativeExample) -> None:
        """Adds one example, a minibatch as a rule."""
        xent = self._options.xent_regularize != 0.0
        wanted = {}
        for part in example.outputs:
            for name in [part.name, f"{part.name}-xent"] if xent else [part.name]:
                if name not in self._outputs:
                    raise KaldiError(f"Network has no output named {name}")
                wanted[name] = part.indexes
        outputs = compute_outputs(self.network, example.inputs, wanted)
        for part in example.outputs:
            output = outputs[part.name]
            made = self._criterion.evaluate(part.supervision, output)
            total = self.totals.setdefault(part.name, DiscriminativeTotal())
            total.add(made)
            if self._accumulates:
                self._accumulate(total, made, output)
            if xent:
                total = self.totals.setdefault(f"{part.name}-xent", DiscriminativeTotal())
                total.objective += made.cross_entropy(outputs[f"{part.name}-xent"])
                total.weight += made.weight

    def _accumulate(self, total: DiscriminativeTotal, made: DiscriminativeObjective, output: Tensor) -> None:
        if self._options.accumulate_gradients:
            total.gradients = _sum(total.gradients, made.derivative)
        if self._options.accumulate_output:
            total.outputs = _sum(total.outputs, output.double().exp())

    def report(self) -> bool:
        """Logs everything the way Kaldi does; whether there were any frames."""
        criterion = self._options.criterion
        for name, total in self.totals.items():
            weight = total.weight or float("nan")
            _report_counts(criterion, total, weight)
            _report_averages("Vector of average gradients wrt output activations", total.gradients / weight)
            _report_averages("Average DNN output", total.outputs / weight)
            value = f"{total.objective / weight:g}"
            if total.l2_term:
                value += f" + {total.l2_term / weight:g}"
            over = f"per frame, over {total.weight:g} frames."
            log.info(f"Overall {criterion} objective for '{name}' is {value} {over}", _PLACE)
        return any(total.weight > 0 for total in self.totals.values())


def _sum(sums: np.ndarray, rows: Tensor) -> np.ndarray:
    added: np.ndarray = rows.double().sum(0).numpy()
    return sums + added if sums.size else added


def _report_averages(what: str, values: np.ndarray) -> None:
    if values.size:
        log.info(f"{what} is: \n [ {''.join(f'{value:g} ' for value in values)}]")


def _report_counts(criterion: str, total: DiscriminativeTotal, weight: float) -> None:
    """How much there is to be learnt: sums of derivatives (DiscriminativeObjectiveInfo::Print)."""
    objective = total.objective / weight
    if criterion == "mmi":
        log.info(
            f"Number of frames is {total.frames} (weighted: {total.weight:g}), average (num or den) posterior per "
            f"frame is {total.positive / weight:g}"
        )
        numerator, denominator = total.numerator / weight, total.denominator / weight
        log.info(
            f"MMI objective function is {numerator:g} - {denominator:g} = {objective:g} per frame, over "
            f"{total.weight:g} frames."
        )
        return
    name, over = criterion.upper(), f"per frame, over {total.weight:g} frames"
    log.info(f"Average num+den count of {name} stats is {(total.positive + total.negative) / weight:g} {over}")
    log.info(f"{name} objective function is {objective:g} {over}.")

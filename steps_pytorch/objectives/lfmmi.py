"""Lattice-free MMI with its cross-entropy and L2 regularizers, as Kaldi's chain training has it.

D. Povey et al., "Purely sequence-trained neural networks for ASR based on lattice-free MMI", Interspeech 2016.
"""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge.command import option
from kaldi_bridge.errors import KaldiError
from nnet3_compat.chain.denominator_graph import DenominatorGraph
from nnet3_compat.chain.loss import ChainLoss
from nnet3_compat.chain.options import ChainOptions
from steps_pytorch.data.batch import Batch
from steps_pytorch.models.base import ModelOutput
from steps_pytorch.objectives.base import Loss, Objective, Term
from steps_pytorch.objectives.registry import OBJECTIVES
from steps_pytorch.registry import Dimensions


@dataclass
class LfmmiOptions:
    """As of nnet3-chain-train, with the values that Kaldi's recipes give them."""

    den_fst: str = option("", "The denominator graph, as chain-make-den-fst makes it (required)")
    leaky_hmm_coefficient: float = option(0.1, "Probability of leaking from each state of the denominator graph")
    l2_regularize: float = option(0.0, "L2 regularization of the network's output")
    xent_regularize: float = option(0.1, "Weight of the cross-entropy of the model's second branch; 0: none")
    out_of_range_regularize: float = option(0.01, "Penalty for outputs outside [-30, 30]")


class Lfmmi(Objective):
    """Terms, log-probabilities per frame: ``chain`` (numerator minus denominator), ``l2``, ``xent``.

    A batch's ``deriv_weights`` multiply derivatives, and leave these values as they are.
    """

    graph: DenominatorGraph

    def __init__(self, graph: DenominatorGraph, options: ChainOptions | None = None) -> None:
        super().__init__()
        self.graph = graph
        self.chain = ChainLoss(graph, options)
        self.wants_xent = bool(self.chain.options.xent_regularize)

    def of_output(self, made: ModelOutput, batch: Batch) -> Loss:
        supervision = batch.supervision
        if supervision is None:
            raise KaldiError(
                f"data set {batch.dataset!r} has no supervision: LF-MMI trains on lattices or alignments of phones"
            )
        xent = None if made.xent is None else made.xent.float()
        loss, result = self.chain.evaluate(made.output.float(), supervision, xent, deriv_weights=batch.deriv_weights)
        weight = result.weight
        terms = {"chain": Term(float(result.objective), weight)}
        if self.chain.options.l2_regularize:
            terms["l2"] = Term(float(result.l2_term), weight)
        if xent is not None and self.chain.options.xent_regularize:
            terms["xent"] = Term(float(result.cross_entropy(xent)), weight)
        return Loss(loss, terms, result.ok)


@OBJECTIVES.add("lfmmi", LfmmiOptions)
def make_lfmmi(options: LfmmiOptions, dimensions: Dimensions) -> Lfmmi:
    """LF-MMI. Raises KaldiError without a denominator graph."""
    if not options.den_fst:
        raise KaldiError("objective lfmmi: --den-fst=<file> is required")
    graph = DenominatorGraph.read(options.den_fst, dimensions.num_pdfs)
    return Lfmmi(
        graph,
        ChainOptions(
            l2_regularize=options.l2_regularize,
            out_of_range_regularize=options.out_of_range_regularize,
            leaky_hmm_coefficient=options.leaky_hmm_coefficient,
            xent_regularize=options.xent_regularize,
        ),
    )

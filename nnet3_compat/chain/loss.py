"""LF-MMI as a PyTorch loss."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.examples.supervision import Supervision
from nnet3_compat.chain.denominator_graph import DenominatorGraph
from nnet3_compat.chain.objective import ChainObjective, chain_objective, lengths_of
from nnet3_compat.chain.options import ChainOptions
from nnet3_compat.network.known_derivative import with_derivative


class ChainLoss(nn.Module):
    """LF-MMI as a loss to minimize: minus the objective per frame.

        loss = ChainLoss(DenominatorGraph.read("den.fst", num_pdfs))
        loss(output, supervision).backward()

    Attributes:
        dropped: how many minibatches were useless: each counts -10 per frame, with derivatives of zero.
    """

    def __init__(self, graph: DenominatorGraph, options: ChainOptions | None = None, backend: str = "auto") -> None:
        """``backend``: what computes the denominator: auto, plain, native, triton or pychain (backends.py)."""
        super().__init__()
        self.graph = graph
        self.options = options or ChainOptions()
        self.backend = backend
        self.dropped = 0

    def forward(
        self,
        output: Tensor,
        supervision: Supervision | Sequence[Supervision],
        xent_output: Tensor | None = None,
        lengths: Tensor | None = None,
        deriv_weights: Tensor | None = None,
    ) -> Tensor:
        """Minus the objective per frame.

        Args:
            output: unnormalized log-probabilities, [sequences, frames, pdfs], or with Kaldi's rows
                [frames * sequences, pdfs]: all sequences of the first frame, then of the second.
            supervision: of an example, merged or not; or a list, in the order of the sequences, of any lengths.
            xent_output: log-softmax outputs of a second branch, shaped like the output: ``xent_regularize`` times its
                cross-entropy against the numerator's posteriors is added.
            lengths: the frames of each sequence, for those who have them; the supervisions say them too.
            deriv_weights: one for each row or frame, which multiplies derivatives and leaves the value, as in Kaldi.

        Raises:
            KaldiError: shapes or lengths do not fit.
        """
        return self.evaluate(output, supervision, xent_output, lengths, deriv_weights)[0]

    def evaluate(
        self,
        output: Tensor,
        supervision: Supervision | Sequence[Supervision],
        xent_output: Tensor | None = None,
        lengths: Tensor | None = None,
        deriv_weights: Tensor | None = None,
    ) -> tuple[Tensor, ChainObjective]:
        """The loss, and what it is made of before ``deriv_weights``."""
        if lengths is not None:
            supervisions = [supervision] if isinstance(supervision, Supervision) else supervision
            known = lengths_of(supervisions).tolist()
            if lengths.tolist() != known:
                raise KaldiError(f"lengths {lengths.tolist()}, but the supervisions have {known} frames")
        result = chain_objective(self.graph, supervision, output, self.options, self.backend)
        self.dropped += not result.ok
        weighted = result if deriv_weights is None else result.weighted(deriv_weights)
        total = with_derivative(output, result.objective + result.l2_term, weighted.derivative)
        factor = self.options.xent_regularize
        if xent_output is not None and factor:
            value = factor * result.cross_entropy(xent_output)
            total = total + with_derivative(xent_output, value, factor * weighted.numerator_posteriors)
        return -total / result.weight, result

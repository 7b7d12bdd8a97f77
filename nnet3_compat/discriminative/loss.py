"""A discriminative objective as a PyTorch loss."""

from __future__ import annotations

from torch import Tensor, nn

from kaldi_bridge.examples.discriminative_supervision import DiscriminativeSupervision
from nnet3_compat.discriminative.objective import Discriminative, DiscriminativeObjective
from nnet3_compat.network.known_derivative import with_derivative


class DiscriminativeLoss(nn.Module):
    """MMI, MPFE or sMBR as a loss to minimize: minus the objective per frame.

    loss = DiscriminativeLoss(Discriminative(model, DiscriminativeOptions(criterion="mmi"), priors))
    loss(output, supervision).backward()
    """

    def __init__(self, criterion: Discriminative) -> None:
        super().__init__()
        self.criterion = criterion

    def forward(
        self,
        output: Tensor,
        supervision: DiscriminativeSupervision,
        xent_output: Tensor | None = None,
        deriv_weights: Tensor | None = None,
    ) -> Tensor:
        """Minus the objective per frame.

        Args:
            output: [sequences, frames, pdfs], or Kaldi's rows [frames * sequences, pdfs], all sequences of the first
                frame, then of the second; log-posteriors where the criterion has priors.
            supervision: of all sequences, merged.
            xent_output: log-softmax outputs of a second branch, shaped like the output: ``xent_regularize`` times its
                cross-entropy against the alignment is added.
            deriv_weights: one for each frame of a sequence, which multiplies derivatives and leaves the value.

        Raises:
            KaldiError: shapes do not fit, or the supervision is of another model.
        """
        return self.evaluate(output, supervision, xent_output, deriv_weights)[0]

    def evaluate(
        self,
        output: Tensor,
        supervision: DiscriminativeSupervision,
        xent_output: Tensor | None = None,
        deriv_weights: Tensor | None = None,
    ) -> tuple[Tensor, DiscriminativeObjective]:
        """The loss, and what it is made of before ``deriv_weights``."""
        rows = _in_rows(output)
        result = self.criterion.evaluate(supervision, rows)
        weights = None if deriv_weights is None else _in_rows(deriv_weights.unsqueeze(-1)).squeeze(-1)
        weighted = result if weights is None else result.weighted(weights)
        total = with_derivative(rows, rows.new_tensor(result.objective + result.l2_term), weighted.derivative)
        factor = self.criterion.options.xent_regularize
        if xent_output is not None and factor:
            xent_rows = _in_rows(xent_output)
            derivative = factor * result.cross_entropy_derivative()
            if weights is not None:
                derivative *= weights.to(derivative).unsqueeze(1)
            value = xent_rows.new_tensor(factor * result.cross_entropy(xent_rows))
            total = total + with_derivative(xent_rows, value, derivative)
        return -total / result.weight, result


def _in_rows(output: Tensor) -> Tensor:
    """[sequences, frames, dim] as [frames * sequences, dim]."""
    return output.transpose(0, 1).reshape(-1, output.shape[-1]) if output.dim() == 3 else output

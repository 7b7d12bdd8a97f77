"""MMI, boosted MMI, MPFE and sMBR on lattices of what might have been said, as in Kaldi's discriminative training.

K. Vesely et al., "Sequence-discriminative training of deep neural networks", Interspeech 2013. Training begins with a
model (--init-model), which made the lattices: of cross-entropy, whose outputs are log-posteriors and get the priors
that it decodes with, or of LF-MMI, which has none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from kaldi_bridge.command import option
from kaldi_bridge.errors import KaldiError
from nnet3_compat.discriminative.loss import DiscriminativeLoss
from nnet3_compat.discriminative.objective import Discriminative
from nnet3_compat.discriminative.options import DiscriminativeOptions, LatticeOptions
from nnet3_compat.export.torch_model import TorchModel
from nnet3_compat.model.model_file import Archive, read_with_transitions
from nnet3_compat.model.priors import priors_from_counts
from steps_pytorch.data.batch import Batch
from steps_pytorch.models.base import Model, ModelOutput
from steps_pytorch.objectives.base import Loss, Objective, Term, outputs_of
from steps_pytorch.objectives.registry import OBJECTIVES
from steps_pytorch.registry import Dimensions


@dataclass
class LatticeBasedOptions(LatticeOptions):
    """Options of ``mmi``, ``mpfe`` and ``smbr``."""

    lattice_model: str = option(
        "", "The .mdl that made the lattices: its transition model and priors (default: final.mdl of the targets)"
    )


class LatticeBased(Objective):
    """Terms per frame: the criterion (for MMI log-probabilities, else the share of right frames), ``l2``, ``xent``.

    Attributes:
        has_priors: whether outputs are log-posteriors, which the model at the start has priors for.
        posterior_counts: float64 [pdfs], of which the trained model's priors are made.
    """

    posterior_counts: Tensor

    def __init__(self, criterion: Discriminative, has_priors: bool) -> None:
        super().__init__()
        self.loss = DiscriminativeLoss(criterion)
        self.name = criterion.options.criterion
        self.has_priors = has_priors
        self.wants_xent = bool(criterion.options.xent_regularize)
        self.register_buffer("posterior_counts", torch.zeros(criterion.model.num_pdfs, dtype=torch.float64))

    def of_output(self, made: ModelOutput, batch: Batch) -> Loss:
        if batch.lattices is None:
            raise KaldiError(f"data set {batch.dataset!r} has no lattices: {self.name} trains on these and alignments")
        output = made.output.float()
        if self.has_priors:
            output = output.log_softmax(-1)
        xent = None if made.xent is None else made.xent.float()
        loss, result = self.loss.evaluate(output, batch.lattices, xent, batch.deriv_weights)
        terms = {self.name: Term(result.objective, result.weight)}
        if result.l2_term:
            terms["l2"] = Term(result.l2_term, result.weight)
        if xent is not None and self.wants_xent:
            rows = xent.transpose(0, 1).reshape(-1, xent.shape[-1])
            terms["xent"] = Term(result.cross_entropy(rows), result.weight)
        return Loss(loss, terms, result.ok)

    @torch.no_grad()
    def estimate_priors(self, model: Model, batches: Iterable[Batch]) -> None:
        if not self.has_priors:
            return
        self.posterior_counts.zero_()
        model.eval()
        for batch in batches:
            output = outputs_of(model, batch).output.float()
            self.posterior_counts += output.softmax(-1).sum((0, 1)).double()

    def priors(self) -> np.ndarray | None:
        if not self.has_priors:
            return None
        if not self.posterior_counts.sum() > 0:
            raise KaldiError("there are no priors yet: nothing was counted")
        return priors_from_counts(self.posterior_counts.cpu().numpy())


def _maker(criterion: str) -> Callable[[LatticeBasedOptions, Dimensions], LatticeBased]:
    def make(options: LatticeBasedOptions, dimensions: Dimensions) -> LatticeBased:
        """Raises KaldiError without a model that made the lattices, or where it has other pdfs than the targets."""
        if not options.lattice_model:
            raise KaldiError(f"objective {criterion}: --lattice-model=<.mdl that made the lattices> is required")
        given = {name: getattr(options, name) for name in vars(LatticeOptions())}
        found, model = read_with_transitions(options.lattice_model)
        priors = (
            TorchModel.from_archive(found, options.lattice_model).priors if isinstance(found, Archive) else found.priors
        )
        if model.num_pdfs != dimensions.num_pdfs:
            raise KaldiError(
                f"{options.lattice_model} has {model.num_pdfs} pdfs, the model of the targets {dimensions.num_pdfs}"
            )
        known = DiscriminativeOptions(criterion=criterion, **given)
        return LatticeBased(Discriminative(model, known, priors), priors is not None and len(priors) > 0)

    return make


for _criterion in ("mmi", "mpfe", "smbr"):
    OBJECTIVES.add(_criterion, LatticeBasedOptions)(_maker(_criterion))

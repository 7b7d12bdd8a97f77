"""Discriminative objectives of one minibatch, and their derivatives (nnet3/discriminative-training.cc).

The lattice gets new acoustic costs, from the network's outputs: scaled log-likelihoods, which for networks with priors
are log-posteriors minus log-priors. Then what is maximized is

    mmi     the log-likelihood of the alignment minus that of all paths; with a boost, of paths as much likelier for
            each frame of a wrong phone
    smbr    the expected number of frames of the right pdf
    mpfe    the expected number of frames of the right phone

Derivatives are by scaled log-likelihoods, as in Kaldi: the acoustic scale is no factor of theirs.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from kaldi_bridge import log
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.examples.discriminative_supervision import DiscriminativeSupervision
from kaldi_bridge.hmm.transition_model import TransitionModel
from kaldi_bridge.lattices.costs import boost_errors
from kaldi_bridge.lattices.expected_accuracy import Accuracy, accuracy_gains
from kaldi_bridge.lattices.lattice import Lattice
from kaldi_bridge.lattices.posteriors import emission_posteriors
from kaldi_bridge.lattices.state_times import state_times
from nnet3_compat.discriminative.options import DiscriminativeOptions

FAILED_OBJECTIVE = -10.0  # per frame, where infinities or NaNs made the minibatch useless
FLOOR = np.float32(-20.0 * math.log(10.0))  # of outputs


@dataclass
class DiscriminativeObjective:
    """The objective of one minibatch, not divided by the number of frames.

    Attributes:
        objective: what is maximized, times the supervision's weight.
        numerator, denominator: for MMI, the log-likelihoods that it is the difference of; else 0 and ``-objective``.
        l2_term: -0.5 * l2_regularize * |output|^2, times the weight.
        weight: frames times the weight, to divide by; ``frames``: their number.
        positive, negative: the sums of positive and of negative derivatives, without the L2 term.
        derivative: of objective + l2_term, [rows, pdfs] like the output.
        alignment_pdfs: int64 [rows], those of the alignment, the cross-entropy output's targets.
        scale: the supervision's weight, in which these count.
        ok: False where infinities or NaNs made the minibatch useless: derivatives are then zero.
    """

    objective: float
    numerator: float
    denominator: float
    l2_term: float
    weight: float
    frames: int
    positive: float
    negative: float
    derivative: Tensor
    alignment_pdfs: Tensor
    scale: float
    ok: bool

    def cross_entropy(self, xent_output: Tensor) -> float:
        """Of log-softmax outputs, shaped like the output, against the alignment; not negated."""
        picked = xent_output.detach().gather(1, self.alignment_pdfs.to(xent_output.device).unsqueeze(1))
        value = self.scale * float(picked.double().sum())
        return value if math.isfinite(value) else FAILED_OBJECTIVE

    def cross_entropy_derivative(self) -> Tensor:
        """[rows, pdfs] of ``cross_entropy`` by its outputs."""
        made = torch.zeros_like(self.derivative)
        return made.scatter_(1, self.alignment_pdfs.to(made.device).unsqueeze(1), self.scale)

    def weighted(self, weights: Tensor) -> DiscriminativeObjective:
        """With derivatives times ``weights``, one for each row; the values stay."""
        if weights.shape != self.derivative.shape[:1]:
            raise KaldiError(f"{tuple(weights.shape)} weights of derivatives for {len(self.derivative)} rows")
        return replace(self, derivative=self.derivative * weights.to(self.derivative).unsqueeze(1))


class Discriminative:
    """A criterion with its options, for a model."""

    def __init__(
        self, model: TransitionModel, options: DiscriminativeOptions, priors: np.ndarray | None = None
    ) -> None:
        """``priors`` [pdfs]: of a network whose outputs are log-posteriors; None or empty: they are log-likelihoods.

        Raises KaldiError for options that make no sense, or other priors than the model has pdfs.
        """
        options.check()
        self.model, self.options = model, options
        self._silence = options.silence()
        self._log_priors: np.ndarray | None = None
        if priors is not None and len(priors):
            if len(priors) != model.num_pdfs or not (np.asarray(priors) > 0.0).all():
                raise KaldiError(
                    f"{len(priors)} priors of a model of {model.num_pdfs} pdfs, or some that are not positive"
                )
            self._log_priors = np.log(np.asarray(priors, np.float32))
        kind = Accuracy.of_phones if options.criterion == "mpfe" else Accuracy.of_pdfs
        self._accuracy = kind(model, self._silence, options.one_silence_class)

    def evaluate(self, supervision: DiscriminativeSupervision, output: Tensor) -> DiscriminativeObjective:
        """``output``: [frames * sequences, pdfs], all sequences of the first frame, then of the second, as in Kaldi.

        Raises KaldiError where sizes do not fit, or the supervision is of another model.
        """
        wanted = (supervision.num_frames, self.model.num_pdfs)
        if tuple(output.shape) != wanted:
            raise KaldiError(f"the network's output is {tuple(output.shape)}; supervision and model ask for {wanted}")
        supervision.check()
        exact, rows = output.detach().float(), _rows(supervision)
        pdfs = self.model.id_to_pdf[self.model.checked(supervision.alignment)].astype(np.int64)
        lattice = self._rescored(supervision, exact, rows)
        if not np.isfinite(lattice.arcs["acoustic"]).all():
            numerator, denominator, derivative = 0.0, math.nan, torch.zeros_like(exact)
        elif self.options.criterion == "mmi":
            numerator = float(self._log_likelihoods(exact, rows, pdfs).sum(dtype=np.float64))
            denominator, derivative = self._mmi(lattice, exact, rows, pdfs)
        else:
            numerator = 0.0
            times, ids, gains, expected = accuracy_gains(lattice, supervision.alignment, self._accuracy)
            denominator, derivative = -expected, _scattered(exact, rows[times], self.model.id_to_pdf[ids], gains)
        return self._objective(supervision, exact, derivative, _by_row(rows, pdfs), numerator, denominator)

    def _objective(
        self,
        supervision: DiscriminativeSupervision,
        output: Tensor,
        derivative: Tensor,
        alignment_pdfs: Tensor,
        numerator: float,
        denominator: float,
    ) -> DiscriminativeObjective:
        """Puts it together, times the weight."""
        scale, frames = supervision.weight, supervision.num_frames
        weight, l2_term = scale * frames, 0.0
        objective, numerator, denominator = (scale * x for x in (numerator - denominator, numerator, denominator))
        positive, negative = (float(derivative.clamp(**side).double().sum()) for side in ({"min": 0.0}, {"max": 0.0}))
        derivative *= scale
        ok = math.isfinite(objective) and math.isfinite(positive - negative)
        if not ok:
            log.warning(f"Objective function is {objective:g}, setting to {FAILED_OBJECTIVE:g} per frame.")
            objective, numerator, denominator = FAILED_OBJECTIVE * weight, 0.0, -FAILED_OBJECTIVE * weight
            derivative, positive, negative = torch.zeros_like(derivative), 0.0, 0.0
        elif self.options.l2_regularize:
            factor = scale * self.options.l2_regularize
            l2_term = -0.5 * factor * float(output.double().square().sum())
            derivative -= factor * output
        return DiscriminativeObjective(
            objective, numerator, denominator, l2_term, weight, frames, positive, -negative, derivative, alignment_pdfs,
            scale, ok,
        )  # fmt: skip

    def _log_likelihoods(self, output: Tensor, rows: np.ndarray, pdfs: np.ndarray) -> np.ndarray:
        """float32, scaled, of some places of the output."""
        places = torch.from_numpy(rows * output.shape[1] + pdfs).to(output.device)
        found = output.reshape(-1)[places].cpu().numpy()
        low = found < FLOOR
        if low.any():
            log.warning(f"Floored {np.count_nonzero(low)} probabilities from nnet.")
            found = np.where(low, FLOOR, found)
        if self._log_priors is not None:
            if (found > 0.0).any():
                raise KaldiError(
                    f"an output of {found.max():g}: of a model with priors they must be log-probabilities (log-softmax)"
                )
            found = found - self._log_priors[pdfs]
        scaled: np.ndarray = found * np.float32(self.options.acoustic_scale)
        return scaled

    def _rescored(self, supervision: DiscriminativeSupervision, output: Tensor, rows: np.ndarray) -> Lattice:
        """The lattice with new acoustic costs, and with the boost where one is asked for."""
        lattice = supervision.lattice
        if self.options.criterion == "mmi" and self.options.boost:
            lattice = boost_errors(
                lattice, self.model, supervision.alignment, self._silence, self.options.boost, silence_error=0.0
            )
        times, _ = state_times(lattice)
        arcs, finals, emits = lattice.arcs.copy(), lattice.finals.copy(), lattice.arcs["ilabel"] != 0
        when = times[lattice.sources[emits]]
        if len(when) and not 0 <= when.min() <= when.max() < supervision.num_frames:
            raise KaldiError("the lattice has arcs beyond its end, or out of reach")
        pdfs = self.model.id_to_pdf[self.model.checked(arcs["ilabel"][emits])].astype(np.int64)
        arcs["acoustic"][emits] = -self._log_likelihoods(output, rows[when], pdfs)
        finals[lattice.is_final, 1] = 0.0
        return Lattice(lattice.start, lattice.offsets, arcs, finals)

    def _mmi(self, lattice: Lattice, output: Tensor, rows: np.ndarray, pdfs: np.ndarray) -> tuple[float, Tensor]:
        """The log-likelihood of all paths; and the derivative: the alignment's pdfs minus the paths' posteriors."""
        found = emission_posteriors(lattice)
        derivative = -_scattered(output, rows[found.times], self.model.id_to_pdf[found.ids], found.posteriors)
        aligned = _by_row(rows, pdfs).to(output.device).unsqueeze(1)
        absent = derivative.gather(1, aligned).squeeze(1) == 0.0
        derivative.scatter_add_(1, aligned, torch.ones_like(aligned, dtype=derivative.dtype))
        if self.options.drop_frames:
            derivative[absent] = 0.0
        return found.log_likelihood, derivative


def _rows(supervision: DiscriminativeSupervision) -> np.ndarray:
    """int64 [frames], the output's row of each frame of the lattice, which has one sequence after the other."""
    grid = np.arange(supervision.num_frames).reshape(supervision.frames_per_sequence, supervision.num_sequences)
    return grid.T.ravel()


def _by_row(rows: np.ndarray, of_frames: np.ndarray) -> Tensor:
    """What the lattice's frames have, in the order of the output's rows."""
    made = np.empty(len(rows), np.int64)
    made[rows] = of_frames
    return torch.from_numpy(made)


def _scattered(like: Tensor, rows: np.ndarray, columns: np.ndarray, values: np.ndarray) -> Tensor:
    """Zeros like a tensor, with values added at some places."""
    made = torch.zeros_like(like)
    places = torch.from_numpy(rows * like.shape[1] + columns.astype(np.int64)).to(like.device)
    made.view(-1).index_add_(0, places, torch.from_numpy(values.astype(np.float32)).to(like.device))
    return made

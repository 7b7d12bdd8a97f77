"""Priors of an acoustic model: what its outputs are divided by at test time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.command import option
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.hmm.transition_model import TransitionModel

EXCLUDED = 1.0e20  # what stands for a prior below the floor: likelihoods become too small for any path


@dataclass(kw_only=True)
class PriorOptions:
    """How outputs are divided by priors; nnet3 has neither of these options."""

    prior_scale: float = option(1.0, "Exponent of the model's priors: 0 for no division by them")
    prior_floor: float = option(0.0, "Pdfs with a smaller prior cannot be decoded; 0: all can")

    def log_divisors(self, priors: np.ndarray) -> np.ndarray:
        """What is subtracted from outputs [pdfs]. Raises KaldiError for options out of range."""
        if not self.prior_scale >= 0.0:
            raise KaldiError(f"--prior-scale={self.prior_scale:g} must not be negative")
        if not 0.0 <= self.prior_floor < 1.0:
            raise KaldiError(f"--prior-floor={self.prior_floor:g} must be a probability below 1")
        kept = priors >= self.prior_floor
        with np.errstate(divide="ignore"):
            logs = np.float32(self.prior_scale) * np.log(np.where(kept, priors, 1.0).astype(np.float32))
        return np.where(kept, logs, np.float32(np.log(EXCLUDED)))


def priors_from_counts(counts: np.ndarray, floor: float = 0.0) -> np.ndarray:
    """Counts or posteriors per pdf as probabilities of at least ``floor``. Raises KaldiError when they are unusable."""
    total = float(counts.sum(dtype=np.float64))
    if not (np.isfinite(counts).all() and total > 0.0):
        raise KaldiError(f"priors cannot be made of counts whose sum is {total:g}")
    priors = np.maximum(counts / total, floor)
    return (priors / priors.sum()).astype(np.float32)


def pdf_counts(model: TransitionModel, stats: np.ndarray) -> np.ndarray:
    """Counts per pdf from counts per transition-id [ids + 1]."""
    return np.bincount(model.id_to_pdf[1:], weights=stats[1:], minlength=model.num_pdfs)


def report_change(old: np.ndarray, new: np.ndarray) -> None:
    """Says how much the priors change, as nnet3-am-adjust-priors does."""
    if old.size == 0:
        log.info("Model did not previously have priors attached.")
        return
    if old.size != new.size:
        raise KaldiError(f"the model has {old.size} priors, the vector {new.size}")
    largest = int(np.abs(new - old).argmax())
    log.info(
        f"Adjusting priors: largest absolute difference was for pdf {largest}, {old[largest]:g} -> {new[largest]:g}"
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        divergence = float(np.where(old > 0, old * np.log(old / new), 0.0).sum(dtype=np.float64))
    log.info(f"Adjusting priors: K-L divergence from old to new is {divergence:g}")

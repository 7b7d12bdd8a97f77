"""How much of each frame belongs to each Gaussian (gmm/diag-gmm.cc, ComponentPosteriors), for many frames at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.extension import _csrc
from kaldi_bridge.gmm.acoustic_model import AcousticModel
from kaldi_bridge.gmm.model import Mixtures
from kaldi_bridge.hmm.posterior import to_pdfs
from kaldi_bridge.tables.posterior import GaussPosterior, SparsePosterior


@dataclass
class GaussianPosteriors:
    """Of the pairs (frame, pdf) of a posterior, in their order; those of a pair lie one after the other.

    Attributes:
        num_frames: of the utterance.
        frames, pdfs: int [pairs].
        offsets: int64 [pairs + 1]; what is of pair i is ``offsets[i]`` to ``offsets[i + 1] - 1`` in the following.
        gaussians: int64 [n], as the mixtures number them.
        posteriors: float32 [n], the pair's weight shared among the Gaussians of the pdf.
        log_likelihood, weight: over all pairs, the log-likelihood times the weight, and the weight.
    """

    num_frames: int
    frames: np.ndarray
    pdfs: np.ndarray
    offsets: np.ndarray
    gaussians: np.ndarray
    posteriors: np.ndarray
    log_likelihood: float = 0.0
    weight: float = 0.0

    @property
    def frame_of_each(self) -> np.ndarray:
        """int [n]."""
        return np.repeat(self.frames, np.diff(self.offsets))

    @property
    def counts(self) -> np.ndarray:
        """float64 [num_frames], the sum of the posteriors of each frame."""
        return np.bincount(self.frame_of_each, self.posteriors, self.num_frames)

    def weighted_sums(self, *tables: np.ndarray) -> list[np.ndarray]:
        """Of tables [gaussians of the mixtures, dim]: float32 [num_frames, dim], sums of rows by the posteriors."""
        made: list[np.ndarray] = _csrc.shared_rows(
            self.posteriors, self.gaussians, self.frame_of_each, self.num_frames, tables
        )
        return made

    def to_lists(self) -> GaussPosterior:
        """As tables hold them; pairs whose posteriors are all 0 are left out."""
        lists: GaussPosterior = [[] for _ in range(self.num_frames)]
        kept = np.diff(np.concatenate([[0], np.cumsum(self.posteriors != 0)])[self.offsets]) > 0
        pairs = (self.frames, self.pdfs, self.offsets[:-1], self.offsets[1:])
        for frame, pdf, begin, end in zip(*(values[kept].tolist() for values in pairs), strict=True):
            lists[frame].append((pdf, self.posteriors[begin:end]))
        return lists

    @classmethod
    def of_mixture(cls, mixture: Mixtures, posterior: SparsePosterior) -> GaussianPosteriors:
        """Of a single mixture, whose Gaussians are the indexes. Raises KaldiError when one is none of them."""
        gaussians = posterior.indexes.astype(np.int64)
        if len(gaussians) and not 0 <= gaussians.min() <= gaussians.max() < mixture.num_gaussians:
            raise KaldiError(f"posteriors of a Gaussian {gaussians.max()}, but the model has {mixture.num_gaussians}")
        frames = np.arange(len(posterior))
        return cls(len(posterior), frames, np.zeros_like(frames), posterior.offsets, gaussians, posterior.weights)

    @classmethod
    def from_lists(cls, mixtures: Mixtures, posterior: GaussPosterior) -> GaussianPosteriors:
        """Raises KaldiError when a pdf is none of the mixtures, or has another number of Gaussians."""
        pairs = [(t, pdf, own) for t, frame in enumerate(posterior) for pdf, own in frame]
        pdfs = np.array([pdf for _, pdf, _ in pairs], np.int64)
        sizes = np.array([len(own) for _, _, own in pairs], np.int64)
        if len(pdfs) and not 0 <= pdfs.min() <= pdfs.max() < mixtures.num_pdfs:
            raise KaldiError(f"posteriors of Gaussians of a pdf {pdfs.max()}, but the model has {mixtures.num_pdfs}")
        if not np.array_equal(sizes, mixtures.sizes[pdfs]):
            raise KaldiError("posteriors of another number of Gaussians than the model's pdfs have")
        return cls(
            len(posterior),
            np.array([t for t, _, _ in pairs], np.int64),
            pdfs,
            np.concatenate([[0], np.cumsum(sizes)]),
            mixtures.gaussians_of(pdfs),
            np.concatenate([own for _, _, own in pairs]) if pairs else np.zeros(0, np.float32),
        )


def gaussian_posteriors(model: AcousticModel, feats: np.ndarray, posterior: SparsePosterior) -> GaussianPosteriors:
    """Of features [frames, dim] and the posterior of their transition-ids.

    Raises KaldiError when they do not fit each other or the model, or a likelihood is not finite.
    """
    if len(feats) != len(posterior):
        raise KaldiError(f"Posterior vector has wrong size {len(posterior)} vs. {len(feats)}")
    pdf_posterior = to_pdfs(model.transitions, posterior)
    frames, pdfs = pdf_posterior.frames, pdf_posterior.indexes
    mixtures = model.mixtures
    offsets = np.concatenate([[0], np.cumsum(mixtures.sizes[pdfs])]).astype(np.int64)
    gaussians = mixtures.gaussians_of(pdfs)
    posteriors, log_likelihoods = _shares(mixtures, feats, frames, pdfs)
    if not np.isfinite(log_likelihoods).all():
        raise KaldiError("a likelihood that is infinite or not a number: invalid features?")
    weights = pdf_posterior.weights
    posteriors *= np.repeat(weights, np.diff(offsets))
    total = float(log_likelihoods.astype(np.float64) @ weights)
    return GaussianPosteriors(
        len(feats), frames, pdfs, offsets, gaussians, posteriors, total, float(weights.sum(dtype=np.float64))
    )


def pdf_log_likelihoods(mixtures: Mixtures, feats: np.ndarray, frames: np.ndarray, pdfs: np.ndarray) -> np.ndarray:
    """float32 [pairs], the log-likelihood of the frame ``frames[i]`` of features [frames, dim] by pdf ``pdfs[i]``."""
    return _shares(mixtures, feats, frames, pdfs)[1]


def _shares(
    mixtures: Mixtures, feats: np.ndarray, frames: np.ndarray, pdfs: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Posteriors of the Gaussians, which sum to 1 in each pair [n], and log-likelihoods of the pairs."""
    if feats.shape[1] != mixtures.dim:
        raise KaldiError(f"features of dimension {feats.shape[1]}, but the model is for {mixtures.dim}")
    parameters = mixtures.constants, mixtures.scaled_means, mixtures.inverse_variances
    return _csrc.gaussian_shares(*parameters, feats, frames, mixtures.offsets[pdfs], mixtures.sizes[pdfs])

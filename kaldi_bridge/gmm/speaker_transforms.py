"""fMLLR transforms of speakers or utterances, from tables to a table (gmmbin/gmm-est-fmllr.cc and its neighbours)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from types import TracebackType
from typing import Any

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.errors import within
from kaldi_bridge.gmm.acoustic_model import AcousticModel
from kaldi_bridge.gmm.gaussian_posteriors import GaussianPosteriors, gaussian_posteriors
from kaldi_bridge.gmm.transform_statistics import add_to_fmllr
from kaldi_bridge.tables import TableWriter
from kaldi_bridge.tables.holders import FLOAT_MATRIX, GAUSS_POSTERIOR, SPARSE_POSTERIOR
from kaldi_bridge.tables.utterances import FeaturesBySpeaker, Posteriors, Utterances
from kaldi_bridge.transforms.fmllr import FmllrOptions, FmllrStatistics


class GaussianPosteriorsOf(ABC):
    """How much of the frames of an utterance belongs to each Gaussian, by a table of posteriors.

    ``table``: counts utterances that had none. ``name``: what messages call the posteriors.
    """

    name: str
    table: Posteriors[Any]

    @abstractmethod
    def of(self, utterance: str, feats: np.ndarray) -> GaussianPosteriors | None:
        """None, counted and warned of, where the table has none that fits."""

    def __enter__(self) -> GaussianPosteriorsOf:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.table.__exit__(kind, error, trace)


class OfTransitionIds(GaussianPosteriorsOf):
    """The table has posteriors of transition-ids; those of Gaussians are computed with the model."""

    name = "posts"

    def __init__(self, model: AcousticModel, rspecifier: str) -> None:
        self._model = model
        self.table = Posteriors(rspecifier, SPARSE_POSTERIOR)

    def of(self, utterance: str, feats: np.ndarray) -> GaussianPosteriors | None:
        posterior = self.table.of(utterance, len(feats))
        return None if posterior is None else gaussian_posteriors(self._model, feats, posterior)


class OfGaussians(GaussianPosteriorsOf):
    """The table has posteriors of Gaussians."""

    name = "gposts"

    def __init__(self, model: AcousticModel, rspecifier: str) -> None:
        self._model = model
        self.table = Posteriors(rspecifier, GAUSS_POSTERIOR)

    def of(self, utterance: str, feats: np.ndarray) -> GaussianPosteriors | None:
        posterior = self.table.of(utterance, len(feats))
        return None if posterior is None else GaussianPosteriors.from_lists(self._model.mixtures, posterior)


def fmllr_statistics(model: AcousticModel, utterances: Utterances, posteriors: GaussianPosteriorsOf) -> FmllrStatistics:
    """Of one speaker. Raises KaldiError, naming the utterance, where something does not fit the model."""
    statistics = FmllrStatistics(model.mixtures.dim)
    for utterance, feats in utterances:
        with within(f"utterance {utterance}"):
            shares = posteriors.of(utterance, feats)
            if shares is not None:
                add_to_fmllr(statistics, model.mixtures, feats, shares)
    return statistics


def write_fmllr(
    options: FmllrOptions,
    model: AcousticModel,
    speakers: FeaturesBySpeaker,
    posteriors: GaussianPosteriorsOf,
    wspecifier: str,
) -> int:
    """Writes a transform for each speaker, reports; returns the exit status."""
    total_gain = total_count = 0.0
    with TableWriter(wspecifier, FLOAT_MATRIX) as writer:
        for speaker, utterances in speakers:
            statistics = fmllr_statistics(model, utterances, posteriors)
            with within(speaker):
                transform, gain = statistics.transform(options)
            writer.write(speaker, transform)
            count = statistics.count
            average = gain / count if count else float("nan")
            log.info(f"For {speakers.what} {speaker}, auxf-impr from fMLLR is {average:g}, over {count:g} frames.")
            total_gain += gain
            total_count += count
    table = posteriors.table
    others = table.errors + speakers.missing
    log.info(f"Done {table.done} files, {table.missing} with no {posteriors.name}, {others} with other errors.")
    average = total_gain / total_count if total_count else float("nan")
    log.info(f"Overall fMLLR auxf impr per frame is {average:g} over {total_count:g} frames.")
    return 0 if table.done else 1

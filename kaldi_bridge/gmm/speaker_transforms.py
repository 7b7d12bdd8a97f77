"""Transforms of speakers or utterances, from tables to a table (gmmbin/gmm-est-fmllr.cc and its neighbours)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.command import option
from kaldi_bridge.errors import KaldiError, within
from kaldi_bridge.gmm.acoustic_model import AcousticModel
from kaldi_bridge.gmm.gaussian_posteriors import GaussianPosteriors, gaussian_posteriors
from kaldi_bridge.gmm.model import Mixtures
from kaldi_bridge.gmm.posterior_input import PosteriorOptions, transition_posteriors
from kaldi_bridge.gmm.transform_statistics import add_to_fmllr, add_to_raw_fmllr
from kaldi_bridge.io.basic_io import write_header
from kaldi_bridge.io.streams import open_output
from kaldi_bridge.tables import RandomAccessReader, TableWriter
from kaldi_bridge.tables.holders import FLOAT, FLOAT_MATRIX, FLOAT_VECTOR, GAUSS_POSTERIOR, SPARSE_POSTERIOR
from kaldi_bridge.tables.utterances import FeaturesBySpeaker, Posteriors, Utterances
from kaldi_bridge.transforms.basis_fmllr import Basis, BasisFmllrOptions, GradientScatter
from kaldi_bridge.transforms.fmllr import FmllrOptions, FmllrStatistics
from kaldi_bridge.transforms.linear import composed
from kaldi_bridge.transforms.lvtln import NORM_TYPES, LinearVtln
from kaldi_bridge.transforms.raw_fmllr import FullTransform, RawFmllrOptions, RawFmllrStatistics

NOWHERE = "ark:/dev/null"


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
    """The table has posteriors of transition-ids, or what the options say; those of Gaussians come by a model.

    Raises KaldiError where ``sharing``, by which frames are shared among Gaussians instead of the model, does not
    correspond to it Gaussian by Gaussian.
    """

    name = "posts"

    def __init__(
        self,
        model: AcousticModel,
        rspecifier: str,
        options: PosteriorOptions | None = None,
        sharing: AcousticModel | None = None,
    ) -> None:
        if sharing is not None and not np.array_equal(sharing.mixtures.sizes, model.mixtures.sizes):
            raise KaldiError("the alignment model has other numbers of Gaussians than the model")
        self._model = sharing or model
        self.table = transition_posteriors(rspecifier, options or PosteriorOptions(), model.transitions)

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


class OfMixture(GaussianPosteriorsOf):
    """The table has posteriors of the Gaussians of a single mixture."""

    name = "posteriors"

    def __init__(self, mixture: Mixtures, rspecifier: str) -> None:
        self._mixture = mixture
        self.table = Posteriors(rspecifier, SPARSE_POSTERIOR)

    def of(self, utterance: str, feats: np.ndarray) -> GaussianPosteriors | None:
        posterior = self.table.of(utterance, len(feats))
        return None if posterior is None else GaussianPosteriors.of_mixture(self._mixture, posterior)


def fmllr_statistics(mixtures: Mixtures, utterances: Utterances, posteriors: GaussianPosteriorsOf) -> FmllrStatistics:
    """Of one speaker. Raises KaldiError, naming the utterance, where something does not fit the model."""
    statistics = FmllrStatistics(mixtures.dim)
    for utterance, feats in utterances:
        with within(f"utterance {utterance}"):
            shares = posteriors.of(utterance, feats)
            if shares is not None:
                add_to_fmllr(statistics, mixtures, feats, shares)
    return statistics


class _Report:
    """Counts what the transforms of speakers improved, and says so in Kaldi's words.

    ``method``: its name there. ``count_missing``: whether utterances without features are errors.
    """

    def __init__(
        self, method: str, speakers: FeaturesBySpeaker, posteriors: GaussianPosteriorsOf, count_missing: bool = True
    ) -> None:
        self._method, self._speakers, self._posteriors = method, speakers, posteriors
        self._count_missing = count_missing
        self._gain = self._count = 0.0

    def speaker(self, name: str, gain: float, count: float, more: str = ".") -> None:
        average = gain / count if count else float("nan")
        what = f"For {self._speakers.what} {name}, auxf-impr from {self._method}"
        log.info(f"{what} is {average:g}, over {count:g} frames{more}")
        self._gain += gain
        self._count += count

    def files(self) -> int:
        """How many files were used; returns the exit status."""
        table = self._posteriors.table
        others = table.errors + (self._speakers.missing if self._count_missing else 0)
        log.info(
            f"Done {table.done} files, {table.missing} with no {self._posteriors.name}, {others} with other errors."
        )
        return 0 if table.done else 1

    def end(self, what: str) -> int:
        """``what`` improved overall; returns the exit status."""
        status = self.files()
        average = self._gain / self._count if self._count else float("nan")
        log.info(f"Overall {what} per frame is {average:g} over {self._count:g} frames.")
        return status


def write_fmllr(
    options: FmllrOptions,
    model: AcousticModel,
    speakers: FeaturesBySpeaker,
    posteriors: GaussianPosteriorsOf,
    wspecifier: str,
    current: RandomAccessReader[np.ndarray] | None = None,
) -> int:
    """Writes a transform for each speaker, reports; returns the exit status.

    ``current``: the transforms that the features went through already; those that are written do these first, and
    speakers who are not there are left out.
    """
    report = _Report("fMLLR", speakers, posteriors)
    with TableWriter(wspecifier, FLOAT_MATRIX) as writer:
        for speaker, statistics in _of_speakers(model.mixtures, speakers, posteriors):
            with within(speaker):
                transform, gain = statistics.transform(options)
                if current is not None:
                    if speaker not in current:
                        log.warning(f"Speaker {speaker} has no transform so far, and gets none")
                        continue
                    transform = composed(transform, current[speaker], second_is_affine=True)
            writer.write(speaker, transform)
            report.speaker(speaker, gain, statistics.count)
    return report.end("fMLLR auxf impr")


def write_raw_fmllr(
    options: RawFmllrOptions,
    model: AcousticModel,
    full: FullTransform,
    speakers: FeaturesBySpeaker,
    posteriors: GaussianPosteriorsOf,
    wspecifier: str,
) -> int:
    """Writes a transform of unspliced features for each speaker, reports; returns the exit status.

    ``speakers``: their spliced features.
    """
    total = count = 0.0
    with TableWriter(wspecifier, FLOAT_MATRIX) as writer:
        for speaker, utterances in speakers:
            used = posteriors.table.done
            statistics = RawFmllrStatistics(full)
            for utterance, spliced in utterances:
                with within(f"utterance {utterance}"):
                    shares = posteriors.of(utterance, full.projected(spliced))
                    if shares is not None:
                        add_to_raw_fmllr(statistics, model.mixtures, spliced, shares)
            if speakers.what == "utterance" and posteriors.table.done == used:
                continue
            with within(speaker):
                transform, gain = statistics.transform(options)
            writer.write(speaker, transform)
            average = gain / statistics.count if statistics.count else float("nan")
            what = f"For {speakers.what} {speaker}, auxf-impr from raw fMLLR"
            log.info(f"{what} is {average:g} over {statistics.count:g} frames.")
            total, count = total + gain, count + statistics.count
    table = posteriors.table
    errors = table.errors + table.missing + speakers.missing
    log.info(f"Processed {table.done} utterances, {errors} had errors.")
    average = total / count if count else float("nan")
    log.info(f"Overall raw-fMLLR auxf impr per frame is {average:g} over {count:g} frames.")
    return 0 if table.done else 1


def write_gradient_scatter(
    model: AcousticModel,
    speakers: FeaturesBySpeaker,
    posteriors: GaussianPosteriorsOf,
    wxfilename: str,
    binary: bool,
) -> int:
    """Writes the statistics for a basis of transforms, reports; returns the exit status."""
    scatter = GradientScatter(model.mixtures.dim)
    count = 0
    for _, statistics in _of_speakers(model.mixtures, speakers, posteriors):
        statistics.drop_last_frame()
        scatter.accumulate(statistics)
        count += 1
    if speakers.what == "speaker":
        log.info(f"Accumulate statistics from {count} speakers")
    with open_output(wxfilename) as stream:
        write_header(stream, binary)
        scatter.write(stream, binary)
    status = _Report("", speakers, posteriors).files()
    log.info(f"Written gradient scatter to {wxfilename}")
    return status


def write_basis_fmllr(
    options: BasisFmllrOptions,
    model: AcousticModel,
    basis: Basis,
    speakers: FeaturesBySpeaker,
    posteriors: GaussianPosteriorsOf,
    wspecifier: str,
    weights_wspecifier: str,
) -> int:
    """Writes a transform from the basis, and its weights, for each speaker, reports; returns the exit status."""
    report = _Report("Basis fMLLR", speakers, posteriors)
    with (
        TableWriter(wspecifier, FLOAT_MATRIX) as writer,
        TableWriter(weights_wspecifier or NOWHERE, FLOAT_VECTOR) as weights_writer,
    ):
        for speaker, statistics in _of_speakers(model.mixtures, speakers, posteriors):
            with within(speaker):
                statistics.drop_last_frame()
                transform, weights, gain = basis.transform(statistics, options)
            writer.write(speaker, transform)
            if len(weights):
                weights_writer.write(speaker, weights)
            used = f", the top {len(weights)} basis elements have been used"
            report.speaker(speaker, gain, statistics.count, used)
    return report.end("fMLLR auxf-impr")


@dataclass
class LvtlnOptions:
    """Options of gmm-est-lvtln-trans and gmm-global-est-lvtln-trans."""

    norm_type: str = option("offset", 'Type of fMLLR applied ("offset"|"none"|"diag")')
    spk2utt: str = option("", "Rspecifier of the map from speaker to utterances")
    logdet_scale: float = option(1.0, "Scale on log-determinant term in auxiliary function")

    def check(self) -> None:
        """Raises KaldiError for a type that there is not."""
        if self.norm_type not in NORM_TYPES:
            raise KaldiError(f"--norm-type={self.norm_type} should be one of {', '.join(NORM_TYPES)}")


def write_lvtln(
    options: LvtlnOptions,
    mixtures: Mixtures,
    lvtln: LinearVtln,
    speakers: FeaturesBySpeaker,
    posteriors: GaussianPosteriorsOf,
    wspecifier: str,
    warps_wspecifier: str,
) -> int:
    """Writes a linear-VTLN transform, and its warp factor, for each speaker, reports; returns the exit status."""
    report = _Report("LVTLN", speakers, posteriors, count_missing=False)
    counts = [0] * len(lvtln.matrices)
    with (
        TableWriter(wspecifier, FLOAT_MATRIX) as writer,
        TableWriter(warps_wspecifier or NOWHERE, FLOAT) as warps,
    ):
        for speaker, statistics in _of_speakers(mixtures, speakers, posteriors):
            with within(speaker):
                statistics.drop_last_frame()
                number, transform, gain = lvtln.best(statistics, options.norm_type, options.logdet_scale)
            writer.write(speaker, transform)
            warps.write(speaker, float(lvtln.warps[number]))
            counts[number] += 1
            report.speaker(speaker, gain, statistics.count)
    log.info(f"Distribution of classes is:  {' '.join(map(str, counts))}")
    return report.end("LVTLN auxf impr")


def _of_speakers(
    mixtures: Mixtures, speakers: FeaturesBySpeaker, posteriors: GaussianPosteriorsOf
) -> Iterator[tuple[str, FmllrStatistics]]:
    """The statistics of each speaker, or of each utterance, if there are none of speakers, that has posteriors."""
    for speaker, utterances in speakers:
        used = posteriors.table.done
        statistics = fmllr_statistics(mixtures, utterances, posteriors)
        if speakers.what == "speaker" or posteriors.table.done > used:
            yield speaker, statistics

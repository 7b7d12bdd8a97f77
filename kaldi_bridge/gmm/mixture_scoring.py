"""Features scored by one mixture, of diagonal or full covariances: what the programs for the two kinds share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.errors import EntryError, KaldiError
from kaldi_bridge.gmm.frame_choices import FrameChoices
from kaldi_bridge.gmm.full_model import FullMixture
from kaldi_bridge.gmm.model import Mixtures
from kaldi_bridge.gmm.selection import without_small
from kaldi_bridge.options import option
from kaldi_bridge.tables import SequentialReader, TableWriter
from kaldi_bridge.tables.holders import FLOAT, FLOAT_MATRIX, FLOAT_VECTOR, SPARSE_POSTERIOR
from kaldi_bridge.tables.integer_lists import RaggedIntegers
from kaldi_bridge.tables.loop import TableLoop
from kaldi_bridge.tables.posterior import SparsePosterior

M = TypeVar("M", Mixtures, FullMixture)
Posteriors = Callable[[M, np.ndarray, RaggedIntegers | None], tuple[SparsePosterior, np.ndarray]]
"""Posteriors of features [frames, dim] among the Gaussians selected (None: all), and log-likelihoods [frames]."""


@dataclass
class PosteriorOptions:
    """Options of gmm-global-gselect-to-post and fgmm-global-gselect-to-post."""

    min_post: float = option(0.0, "Posteriors below this are left out, and the others made to sum to one")


@dataclass
class FrameLikelihoodOptions:
    """Options of gmm-global-get-frame-likes and fgmm-global-get-frame-likes."""

    gselect: str = option("", "Rspecifier of which Gaussians each frame may belong to (gmm-gselect)")
    average: bool = option(False, "Write one number for each utterance, the average over its frames")


def write_posteriors(
    options: PosteriorOptions, mixture: M, posteriors: Posteriors[M], features: str, gselect: str, wspecifier: str
) -> int:
    """Posteriors of a table of features among selected Gaussians; returns the exit status, and logs as Kaldi does.

    Raises KaldiError for a --min-post that is no posterior, and what reading the tables raises.
    """
    if not 0 <= options.min_post < 1:
        raise KaldiError(f"--min-post={options.min_post:g} must be at least 0 and below 1")
    loop, total, frames, pairs = TableLoop(), 0.0, 0, 0
    with (
        SequentialReader(features, FLOAT_MATRIX) as reader,
        FrameChoices(gselect, "", mixture.num_gaussians) as choices,
        TableWriter(wspecifier, SPARSE_POSTERIOR) as writer,
    ):
        for key, feats in reader:
            with loop.entry(key):
                selection, _ = choices.of(key, len(feats))
                posterior, likelihoods = posteriors(mixture, feats, selection)
                posterior = without_small(posterior, options.min_post)
                writer.write(key, posterior)
                total += float(likelihoods.sum(dtype=np.float64))
                frames, pairs = frames + len(feats), pairs + len(posterior.indexes)
    log.info(f"Done {loop.done} files; {loop.failed} had errors.")
    log.info(
        f"Overall loglike per frame is {total / frames if frames else float('nan'):g} with "
        f"{pairs / frames if frames else float('nan'):g} entries per frame,  over {frames} frames"
    )
    return loop.status


def write_frame_likelihoods(
    options: FrameLikelihoodOptions, mixture: M, posteriors: Posteriors[M], features: str, wspecifier: str
) -> int:
    """Log-likelihoods of the frames of a table of features; returns the exit status, and logs as Kaldi does.

    Raises what reading the tables raises.
    """
    loop, total, frames = TableLoop(), 0.0, 0
    holder: Any = FLOAT if options.average else FLOAT_VECTOR
    with (
        SequentialReader(features, FLOAT_MATRIX) as reader,
        FrameChoices(options.gselect, "", mixture.num_gaussians) as choices,
        TableWriter(wspecifier, holder) as writer,
    ):
        for key, feats in reader:
            with loop.entry(key):
                if not len(feats):
                    raise EntryError(f"Empty features for utterance {key}")
                selection, _ = choices.of(key, len(feats))
                _, likelihoods = posteriors(mixture, feats, selection)
                own = float(likelihoods.sum(dtype=np.float64))
                writer.write(key, own / len(feats) if options.average else likelihoods)
                total, frames = total + own, frames + len(feats)
    log.info(f"Done {loop.done} files; {loop.failed} with errors.")
    average = total / frames if frames else float("nan")
    log.info(f"Overall likelihood per frame = {average:g} over {frames} frames.")
    return loop.status

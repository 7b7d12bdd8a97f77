"""The likeliest Gaussians of each frame (gmm/diag-gmm.cc, full-gmm.cc, GaussianSelection)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.errors import EntryError, KaldiError
from kaldi_bridge.options import option
from kaldi_bridge.tables import RandomAccessReader, SequentialReader, TableWriter
from kaldi_bridge.tables.holders import FLOAT, FLOAT_MATRIX, INT32_VECTOR_VECTOR
from kaldi_bridge.tables.loop import TableLoop

_FRAMES_AT_ONCE = 1000
Scores = Callable[[np.ndarray], np.ndarray]
"""From features [frames, dim] to log-likelihoods float32 [frames, gaussians]."""


@dataclass
class SelectionOptions:
    """Options of gmm-gselect and fgmm-gselect."""

    n: int = option(50, "Number of Gaussians to keep per frame")
    write_likes: str = option("", "Wspecifier for the log-likelihood of each utterance")
    gselect: str = option("", "Rspecifier of Gaussians, such as this program writes, to limit the search to")


def write_selection(
    options: SelectionOptions, scores: Scores, num_gaussians: int, features: str, wspecifier: str
) -> int:
    """The likeliest Gaussians of all frames of a table of features; returns the exit status, and logs as Kaldi does.

    Raises KaldiError where ``n`` is not positive, and what reading the tables raises.
    """
    if options.n <= 0:
        raise KaldiError(f"--n={options.n} must be positive")
    if options.n > num_gaussians:
        log.warning(
            f"You asked for {options.n} Gaussians but GMM only has {num_gaussians}, returning this many. "
            "Note: this means the Gaussian selection is pointless."
        )
    loop, frames, total = TableLoop(), 0, 0.0
    with ExitStack() as stack:
        reader = stack.enter_context(SequentialReader(features, FLOAT_MATRIX))
        writer = stack.enter_context(TableWriter(wspecifier, INT32_VECTOR_VECTOR))
        limits, likelihoods = None, None
        if options.gselect:
            limits = stack.enter_context(RandomAccessReader(options.gselect, INT32_VECTOR_VECTOR))
        if options.write_likes:
            likelihoods = stack.enter_context(TableWriter(options.write_likes, FLOAT))
        for utterance, feats in reader:
            with loop.entry(utterance):
                among = None
                if limits is not None:
                    if utterance not in limits:
                        raise EntryError(f"No gselect information for utterance {utterance}")
                    among = limits[utterance]
                    if len(among) != len(feats):
                        raise EntryError(
                            f"Input gselect for utterance {utterance} has wrong size {len(among)} vs. {len(feats)}"
                        )
                chosen, log_likelihood = likeliest_gaussians(scores, feats, options.n, among)
                writer.write(utterance, chosen)
                if likelihoods is not None:
                    likelihoods.write(utterance, log_likelihood)
                total += log_likelihood
                frames += len(feats)
    average = total / frames if frames else float("nan")
    log.info(
        f"Done {loop.done} files, {loop.failed} with errors, average UBM log-likelihood is {average:g} over {frames} "
        "frames."
    )
    return loop.status


def likeliest_gaussians(
    scores_of: Scores, feats: np.ndarray, count: int, among: Sequence[Sequence[int]] | None = None
) -> tuple[list[np.ndarray], float]:
    """At most ``count`` Gaussians of one mixture for each of the features [frames, dim], the best first.

    ``among``: for each frame, the Gaussians to choose from, in any order (Kaldi takes some lists that are not sorted
    for others, in LogLikelihoodsPreselect). Returns, too, the log-likelihood of all frames by what was
    chosen. Raises KaldiError when the features have another dimension, or ``among`` has Gaussians that there are not.
    """
    chosen: list[np.ndarray] = []
    total = 0.0
    for begin in range(0, len(feats), _FRAMES_AT_ONCE):
        part = slice(begin, begin + _FRAMES_AT_ONCE)
        scores = scores_of(feats[part])
        if among is not None:
            scores = _limited(scores, among[part])
        best = _best(scores, min(count, scores.shape[1]))
        values = np.take_along_axis(scores, best, axis=1).astype(np.float64)
        total += float(np.logaddexp.reduce(values, axis=1).sum())
        chosen += [row[np.isfinite(value)] for row, value in zip(best, values, strict=True)]
    return chosen, total


def _best(scores: np.ndarray, count: int) -> np.ndarray:
    """int [frames, count], in descending order of the scores [frames, gaussians]; of equals the last one first."""
    some = np.argpartition(-scores, count - 1, axis=1)[:, :count]
    some = -np.sort(-some, axis=1)
    order = np.argsort(-np.take_along_axis(scores, some, axis=1), axis=1, kind="stable")
    return np.take_along_axis(some, order, axis=1)


def _limited(scores: np.ndarray, among: Sequence[Sequence[int]]) -> np.ndarray:
    limited = np.full_like(scores, -np.inf)
    for t, own in enumerate(among):
        if not len(own) or not 0 <= min(own) <= max(own) < scores.shape[1]:
            raise KaldiError(f"Gaussians to choose from that the model's {scores.shape[1]} are not, or none: {own}")
        limited[t, own] = scores[t, own]
    return limited

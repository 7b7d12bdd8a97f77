"""The likeliest Gaussians of each frame (gmm/diag-gmm.cc, full-gmm.cc, GaussianSelection)."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.errors import EntryError, KaldiError
from kaldi_bridge.options import option
from kaldi_bridge.tables import RandomAccessReader, SequentialReader, TableWriter
from kaldi_bridge.tables.holders import FLOAT, FLOAT_MATRIX, INT32_RAGGED
from kaldi_bridge.tables.integer_lists import RaggedIntegers
from kaldi_bridge.tables.loop import TableLoop

_FRAMES_AT_ONCE = 1000
Scores = Callable[[np.ndarray], np.ndarray]
"""From features [frames, dim] to log-likelihoods float32 [frames, gaussians]."""
PairScores = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]
"""From features [frames, dim], frames [n] and Gaussians [n], to log-likelihoods float32 [n]."""


@dataclass
class SelectionOptions:
    """Options of gmm-gselect and fgmm-gselect."""

    n: int = option(50, "Number of Gaussians to keep per frame")
    write_likes: str = option("", "Wspecifier for the log-likelihood of each utterance")
    gselect: str = option("", "Rspecifier of Gaussians, such as this program writes, to limit the search to")


def write_selection(
    options: SelectionOptions,
    scores: Scores,
    num_gaussians: int,
    features: str,
    wspecifier: str,
    of_pairs: PairScores | None = None,
) -> int:
    """The likeliest Gaussians of all frames of a table of features; returns the exit status, and logs as Kaldi does.

    ``of_pairs``: for what is limited, where that takes less than all ``scores``.

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
        writer = stack.enter_context(TableWriter(wspecifier, INT32_RAGGED))
        limits, likelihoods = None, None
        if options.gselect:
            limits = stack.enter_context(RandomAccessReader(options.gselect, INT32_RAGGED))
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
                chosen, log_likelihood = likeliest_gaussians(scores, num_gaussians, feats, options.n, among, of_pairs)
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
    scores_of: Scores,
    num_gaussians: int,
    feats: np.ndarray,
    count: int,
    among: RaggedIntegers | None = None,
    of_pairs: PairScores | None = None,
) -> tuple[RaggedIntegers, float]:
    """At most ``count`` Gaussians of one mixture for each of the features [frames, dim], the best first.

    ``among``: for each frame, the Gaussians to choose from, in any order (Kaldi takes some lists that are not sorted
    for others, in LogLikelihoodsPreselect). Returns, too, the log-likelihood of all frames by what was
    chosen. Raises KaldiError when the features have another dimension, or ``among`` has Gaussians that there are not.
    """
    counts, chosen, total = [], [], 0.0
    for begin in range(0, len(feats), _FRAMES_AT_ONCE):
        part = slice(begin, begin + _FRAMES_AT_ONCE)
        if among is None:
            scores, numbers = scores_of(feats[part]), None
        else:
            _check(among[part], num_gaussians)
            scores, numbers = _limited(scores_of, feats[part], among[part], of_pairs)
        best = _best(scores, min(count, scores.shape[1]))
        values = np.take_along_axis(scores, best, axis=1).astype(np.float64)
        if numbers is not None:
            best = np.take_along_axis(numbers, best, axis=1)
        total += float(np.logaddexp.reduce(values, axis=1).sum())
        kept = np.isfinite(values)
        counts.append(kept.sum(axis=1))
        chosen.append(best[kept].astype(np.int32))
    offsets = np.concatenate([[0], np.cumsum(np.concatenate(counts or [np.zeros(0, np.int64)]))]).astype(np.int64)
    return RaggedIntegers(offsets, np.concatenate(chosen or [np.zeros(0, np.int32)])), total


def _best(scores: np.ndarray, count: int) -> np.ndarray:
    """int [frames, count], in descending order of the scores [frames, gaussians]; of equals the last one first."""
    some = np.argpartition(-scores, count - 1, axis=1)[:, :count]
    some = -np.sort(-some, axis=1)
    order = np.argsort(-np.take_along_axis(scores, some, axis=1), axis=1, kind="stable")
    return np.take_along_axis(some, order, axis=1)


def _check(among: RaggedIntegers, num_gaussians: int) -> None:
    values = among.values
    if (among.counts == 0).any() or values.min() < 0 or values.max() >= num_gaussians:
        raise KaldiError(f"Gaussians to choose from that the model's {num_gaussians} are not, or none")


def _limited(
    scores_of: Scores, feats: np.ndarray, among: RaggedIntegers, of_pairs: PairScores | None
) -> tuple[np.ndarray, np.ndarray]:
    """Scores of those alone [frames, most of a frame], and their numbers, ascending; -inf where a frame has fewer."""
    frames = np.repeat(np.arange(len(feats)), among.counts)
    gaussians = among.values[np.lexsort((among.values, frames))]
    own = scores_of(feats)[frames, gaussians] if of_pairs is None else of_pairs(feats, frames, gaussians)
    filled = np.arange(among.counts.max()) < among.counts[:, None]
    scores, numbers = np.full(filled.shape, -np.inf, np.float32), np.zeros(filled.shape, np.int64)
    scores[filled], numbers[filled] = own, gaussians
    return scores, numbers

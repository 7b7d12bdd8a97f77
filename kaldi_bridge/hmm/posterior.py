"""What is done to posteriors of transition-ids (hmm/posterior.cc)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kaldi_bridge.c_random import CRandom
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.hmm.transition_model import TransitionModel
from kaldi_bridge.io.sparse import SparseMatrix
from kaldi_bridge.tables.posterior import SparsePosterior


def of_alignment(alignment: np.ndarray) -> SparsePosterior:
    """Of transition-ids or pdfs [frames], all of them 1 (AlignmentToPosterior)."""
    frames = len(alignment)
    return SparsePosterior.from_counts(np.ones(frames, np.int64), alignment, np.ones(frames, np.float32))


def of_matrix(matrix: np.ndarray) -> SparsePosterior:
    """The columns of a matrix [frames, n] as indexes."""
    frames, columns = matrix.shape
    return SparsePosterior.from_counts(np.full(frames, columns), np.tile(np.arange(columns), frames), matrix.ravel())


def of_log_probabilities(matrix: np.ndarray, least: float, random: CRandom | None) -> SparsePosterior:
    """Probabilities of the columns of a matrix [frames, n] of their logarithms; those below ``least`` are left out.

    ``random``: instead they become ``least`` or nothing, so that the expected values stay; a number is drawn for each.
    """
    # Exponentials of single precision, which are less exact in NumPy than in C.
    values = np.exp(matrix.astype(np.float64)).astype(np.float32)
    kept = values >= np.float32(least)
    if random is not None:
        small = ~kept
        kept[small] = values[small] / np.float32(least) >= random.uniforms(int(small.sum()))
        values = np.where(values < np.float32(least), np.float32(least), values)
    return SparsePosterior.from_counts(kept.sum(axis=1), np.nonzero(kept)[1], values[kept])


def pasted(parts: Sequence[SparsePosterior | None], dims: Sequence[int], num_frames: int) -> SparsePosterior:
    """Posteriors side by side: the indexes of part i are ``dims[0] + ... + dims[i - 1]`` higher; None: nothing.

    Only the first ``num_frames`` are taken. Raises KaldiError for a part that has fewer, or an index beyond its dim.
    """
    frames, indexes, weights = [np.zeros(0, np.int64)], [np.zeros(0, np.int32)], [np.zeros(0, np.float32)]
    for number, (part, dim) in enumerate(zip(parts, dims, strict=True)):
        if part is None:
            continue
        if len(part) < num_frames:
            raise KaldiError(f"posteriors of set {number + 1} for {len(part)} frames, of {num_frames}")
        end = int(part.offsets[num_frames])
        own = part.indexes[:end]
        if ((own < 0) | (own >= dim)).any():
            raise KaldiError(f"posteriors of set {number + 1} have an index {own.max()}: its dimension is {dim}")
        frames.append(part.frames[:end])
        indexes.append(own + sum(dims[:number]))
        weights.append(part.weights[:end])
    of_each = np.concatenate(frames)
    order = np.argsort(of_each, kind="stable")
    counts = np.bincount(of_each, minlength=num_frames)
    return SparsePosterior.from_counts(counts, np.concatenate(indexes)[order], np.concatenate(weights)[order])


def to_sparse_matrix(posterior: SparsePosterior, columns: int) -> SparseMatrix:
    """[frames, columns]; of an index that is there twice in a frame the sum.

    Raises KaldiError where an index is no column.
    """
    _check_columns(posterior, columns)
    if not len(posterior.indexes):
        return SparseMatrix(posterior.offsets, posterior.indexes, posterior.weights, columns)
    order = np.lexsort([posterior.indexes, posterior.frames])
    in_order = SparsePosterior(posterior.offsets, posterior.indexes[order], posterior.weights[order])
    summed = _summed_by(in_order, in_order.indexes)
    summed = summed.selected(summed.weights != 0)
    return SparseMatrix(summed.offsets, summed.indexes, summed.weights, columns)


def to_matrix(posterior: SparsePosterior, columns: int) -> np.ndarray:
    """float32 [frames, columns], 0 where nothing is said; of an index that is there twice the last weight.

    Raises KaldiError where an index is no column.
    """
    _check_columns(posterior, columns)
    matrix = np.zeros((len(posterior), columns), np.float32)
    matrix[posterior.frames, posterior.indexes] = posterior.weights
    return matrix


def _check_columns(posterior: SparsePosterior, columns: int) -> None:
    bad = posterior.indexes[(posterior.indexes < 0) | (posterior.indexes >= columns)]
    if len(bad):
        raise KaldiError(f"the posterior has an index {bad[0]}, and there are {columns} columns")


def to_pdfs(model: TransitionModel, posterior: SparsePosterior) -> SparsePosterior:
    """Posteriors of pdfs: the sums over the transition-ids of each; none that are 0.

    Raises KaldiError when an index is no transition-id of the model.
    """
    summed = _summed_by(posterior, model.id_to_pdf[model.checked(posterior.indexes)])
    return summed.selected(summed.weights != 0)


def to_phones(model: TransitionModel, posterior: SparsePosterior) -> SparsePosterior:
    """The same of phones."""
    summed = _summed_by(posterior, model.id_to_phone[model.checked(posterior.indexes)])
    return summed.selected(summed.weights != 0)


def _summed_by(posterior: SparsePosterior, labels: np.ndarray) -> SparsePosterior:
    """Sums over the pairs of a frame that have the same label (int [pairs], not negative), in the labels' order."""
    if (posterior.counts <= 1).all():  # nothing to sum
        return SparsePosterior(posterior.offsets, labels, posterior.weights)
    size = int(labels.max()) + 1
    keys, place = np.unique(posterior.frames * size + labels, return_inverse=True)
    weights = np.bincount(place, posterior.weights, len(keys)).astype(np.float32)
    return SparsePosterior.from_counts(np.bincount(keys // size, minlength=len(posterior)), keys % size, weights)


class PhonesOfPdfs:
    """Posteriors of pdfs go to phones in the proportion in which these had them in training."""

    def __init__(self, model: TransitionModel, counts: np.ndarray) -> None:
        """``counts``: of transition-ids [ids + 1]. Raises KaldiError where it has another size."""
        if len(counts) != model.num_transition_ids + 1:
            raise KaldiError(
                f"Wrong size for transition counts, expected {model.num_transition_ids} + 1, got {len(counts)}"
            )
        size = int(model.id_to_phone.max()) + 1
        keys, place = np.unique(
            model.id_to_pdf[1:].astype(np.int64) * size + model.id_to_phone[1:], return_inverse=True
        )
        pdfs, self._phones = keys // size, keys % size
        shares = np.bincount(place, counts[1:], len(keys))
        totals, alternatives = (np.bincount(pdfs, values, model.num_pdfs)[pdfs] for values in (shares, None))
        self._shares = np.where(totals != 0, shares / np.where(totals != 0, totals, 1.0), 1.0 / alternatives)
        self._starts = np.searchsorted(pdfs, np.arange(model.num_pdfs + 1))

    def posterior(self, of_pdfs: SparsePosterior) -> SparsePosterior:
        """Of phones. Raises KaldiError where an index is no pdf."""
        pdfs, num_pdfs = of_pdfs.indexes, len(self._starts) - 1
        if ((pdfs < 0) | (pdfs >= num_pdfs)).any():
            bad = pdfs[(pdfs < 0) | (pdfs >= num_pdfs)][0]
            raise KaldiError(f"pdf-id on input out of range, expected [0..{num_pdfs - 1}, got: {bad}")
        counts = (self._starts[1:] - self._starts[:-1])[pdfs]
        pairs = np.repeat(np.arange(len(pdfs)), counts)
        places = np.arange(len(pairs)) - np.repeat(np.cumsum(counts) - counts, counts) + self._starts[pdfs][pairs]
        spread = SparsePosterior.from_counts(
            np.bincount(of_pdfs.frames[pairs], minlength=len(of_pdfs)),
            self._phones[places],
            of_pdfs.weights[pairs] * self._shares[places].astype(np.float32),
        ).selected(self._shares[places] != 0)
        return _summed_by(spread, spread.indexes)


def weight_silence(
    model: TransitionModel, posterior: SparsePosterior, silence: Sequence[int], weight: float
) -> SparsePosterior:
    """Multiplies what belongs to the phones ``silence`` by the weight; with 0 it is dropped."""
    is_silence = _is_silence(model, posterior, silence)
    if weight == 0.0:
        return posterior.selected(~is_silence)
    weights = np.where(is_silence, posterior.weights * np.float32(weight), posterior.weights)
    return SparsePosterior(posterior.offsets, posterior.indexes, weights)


def weight_silence_frames(
    model: TransitionModel, posterior: SparsePosterior, silence: Sequence[int], weight: float
) -> SparsePosterior:
    """Multiplies all of a frame by the average weight of it: ``weight`` for the share of silence, 1 for the rest.

    Raises KaldiError for negative posteriors, with which that makes no sense.
    """
    is_silence = _is_silence(model, posterior, silence)
    frames, count = posterior.frames, len(posterior)
    silent = np.bincount(frames, np.where(is_silence, posterior.weights, 0.0), count)
    total = np.bincount(frames, posterior.weights, count)
    if (silent < 0).any() or (total - silent < 0).any():
        raise KaldiError("negative posteriors: silence cannot be weighted with --distribute=true")
    scales = (silent * weight + (total - silent)) / np.where(total == 0, 1.0, total)
    scales[total == 0] = 1.0
    scaled = SparsePosterior(
        posterior.offsets, posterior.indexes, posterior.weights * scales[frames].astype(np.float32)
    )
    return scaled.selected(scales[frames] != 0)


def _is_silence(model: TransitionModel, posterior: SparsePosterior, silence: Sequence[int]) -> np.ndarray:
    return np.isin(model.id_to_phone[model.checked(posterior.indexes)], silence)


def scaled(posterior: SparsePosterior, scale: float | np.ndarray) -> SparsePosterior:
    """All weights multiplied, by one number or by one for each frame [frames]; frames with 0 become empty.

    Raises KaldiError when there are not as many numbers as frames.
    """
    scales = np.asarray(scale, np.float32)
    if scales.ndim and len(scales) != len(posterior):
        raise KaldiError(f"{len(scales)} weights for a posterior of {len(posterior)} frames")
    of_pair = np.broadcast_to(scales, len(posterior))[posterior.frames]
    made = SparsePosterior(posterior.offsets, posterior.indexes, posterior.weights * of_pair)
    return made.selected(of_pair != 0)


def total(posterior: SparsePosterior) -> np.ndarray:
    """float32 [frames], the sum of each frame."""
    return np.bincount(posterior.frames, posterior.weights, len(posterior)).astype(np.float32)


def on_alignment(posterior: SparsePosterior, alignment: np.ndarray) -> np.ndarray:
    """float32 [frames], the posterior of the index that the alignment [frames] has in each; 0 where there is none.

    Raises KaldiError when their lengths differ.
    """
    if len(alignment) != len(posterior):
        raise KaldiError(f"a posterior of {len(posterior)} frames and an alignment of {len(alignment)}")
    found = np.zeros(len(posterior), np.float32)
    frames = posterior.frames
    same = np.flatnonzero(posterior.indexes == alignment[frames])[::-1]  # so that the first one stays
    found[frames[same]] = posterior.weights[same]
    return found


def merged(
    first: SparsePosterior, second: SparsePosterior, sum_equal: bool = True, drop_disjoint: bool = False
) -> tuple[SparsePosterior, int]:
    """Both together, sorted in each frame, and the number of frames in which they have nothing in common.

    ``sum_equal``: pairs of the same index become one, or none where the sum is 0. ``drop_disjoint``: frames without
    anything in common become empty. Raises KaldiError when their numbers of frames differ.
    """
    if len(first) != len(second):
        raise KaldiError(f"posteriors of {len(first)} and of {len(second)} frames")
    indexes, weights = (
        np.concatenate(pair) for pair in ((first.indexes, second.indexes), (first.weights, second.weights))
    )
    frames = np.concatenate([first.frames, second.frames])
    if not len(frames):
        return first, len(first)
    order = np.lexsort((weights, indexes, frames))
    frames, indexes, weights = frames[order], indexes[order], weights[order]
    begins = np.flatnonzero(np.append(True, (np.diff(frames) != 0) | (np.diff(indexes) != 0)))
    of_second = np.add.reduceat(order >= len(first.indexes), begins, dtype=np.int64)
    common = (of_second > 0) & (of_second < np.diff(np.append(begins, len(frames))))
    disjoint = np.ones(len(first), bool)
    disjoint[frames[begins[common]]] = False
    if sum_equal:
        frames, indexes, weights = frames[begins], indexes[begins], np.add.reduceat(weights, begins)
    kept = weights != 0 if sum_equal else np.ones(len(frames), bool)
    if drop_disjoint:
        kept &= ~disjoint[frames]
    counts = np.bincount(frames[kept], minlength=len(first))
    return SparsePosterior.from_counts(counts, indexes[kept], weights[kept]), int(disjoint.sum())


def randomly_pruned(weights: np.ndarray, threshold: float, random: CRandom) -> np.ndarray:
    """Weights below the threshold become the threshold or 0 at random, so that the expected values stay.

    float32 [n]; draws as RandPrune of base/kaldi-math.h does, one number for each weight that is neither 0 nor large.
    """
    size = np.abs(weights)
    small = np.flatnonzero((weights != 0) & (size < np.float32(threshold)))
    pruned = weights.astype(np.float32, copy=True)
    keep = random.uniforms(len(small)) <= size[small].astype(np.float64) / np.float32(threshold)
    pruned[small] = np.where(keep, np.copysign(np.float32(threshold), weights[small]), np.float32(0))
    return pruned

"""Deltas, splicing and linear transforms of features [frames, dim] (feat/feature-functions.cc, transform-feats.cc)."""

from __future__ import annotations

import numpy as np

from kaldi_bridge.errors import KaldiError


def add_deltas(feats: np.ndarray, order: int = 2, window: int = 2) -> np.ndarray:
    """Features with their derivatives over time up to ``order`` behind them: float32 [frames, (order + 1) * dim].

    A derivative is a regression over ``2 * window + 1`` frames; the first and last frames are repeated beyond the ends.
    Raises KaldiError for a negative order or a window below 1.
    """
    if not 0 <= order < 1000 or not 0 < window < 1000:
        raise KaldiError(f"deltas of order {order} over a window of {window} frames: must be from 0 and from 1 on")
    offsets = np.arange(-window, window + 1, dtype=np.float32)
    shrink = np.float32(1.0 / float((offsets * offsets).sum()))
    scales, parts = np.ones(1, np.float32), [feats.astype(np.float32, copy=False)]
    for _ in range(order):
        scales = np.convolve(scales, offsets) * shrink  # in single precision, to be Kaldi's to the last bit
        reach = len(scales) // 2
        padded = _padded(feats, reach, reach)
        delta = np.zeros(feats.shape, np.float32)
        for j, scale in enumerate(scales):
            delta += scale * padded[j : j + len(feats)]
        parts.append(delta)
    return np.concatenate(parts, axis=1)


def add_shifted_deltas(feats: np.ndarray, window: int = 1, blocks: int = 7, shift: int = 3) -> np.ndarray:
    """Features [frames, dim] with first derivatives behind them: float32 [frames, (blocks + 1) * dim].

    Block i has those of the frame ``i * shift`` frames later; the first and last frames are repeated beyond the ends.
    Raises KaldiError for a window below 1 or a negative number of blocks.
    """
    if not 0 < window < 1000 or blocks < 0:
        raise KaldiError(f"{blocks} blocks of deltas over a window of {window} frames: must be from 0 and from 1 on")
    offsets = np.arange(-window, window + 1)
    shrink = np.float32(1.0 / float((offsets * offsets).sum()))
    parts, places = [feats.astype(np.float32, copy=False)], np.arange(len(feats))
    for block in range(blocks):
        delta = np.zeros(feats.shape, np.float32)
        for offset in offsets[offsets != 0].tolist():
            neighbours = np.clip(places + offset + block * shift, 0, len(feats) - 1)
            delta += np.float32(offset) * shrink * feats[neighbours]
        parts.append(delta)
    return np.concatenate(parts, axis=1)


def truncated(feats: np.ndarray, dim: int) -> np.ndarray:
    """The first dimensions of features. Raises KaldiError where they have no such."""
    if not 0 < dim <= feats.shape[1]:
        raise KaldiError(
            f"Cannot truncate features as dimension {feats.shape[1]} is smaller than truncation dimension."
        )
    return feats[:, :dim]


def splice(feats: np.ndarray, left: int = 4, right: int = 4) -> np.ndarray:
    """Each frame with its neighbours: [frames, (left + 1 + right) * dim], the ends repeated.

    Raises KaldiError for a negative context or features without frames.
    """
    if left < 0 or right < 0:
        raise KaldiError(f"a frame cannot be spliced with {left} frames to the left and {right} to the right")
    if not feats.size:
        raise KaldiError("SpliceFrames: empty input")
    padded = _padded(feats, left, right)
    return np.concatenate([padded[j : j + len(feats)] for j in range(left + 1 + right)], axis=1)


def _padded(feats: np.ndarray, left: int, right: int) -> np.ndarray:
    if not len(feats):
        return feats
    return np.concatenate([np.repeat(feats[:1], left, 0), feats, np.repeat(feats[-1:], right, 0)])

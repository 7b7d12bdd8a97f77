"""Features made of other features: side by side, one after the other, some dimensions of them, shifted in time."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from kaldi_bridge.errors import EntryError, KaldiError


def pasted(parts: Sequence[np.ndarray], tolerance: int, utterance: str = "") -> np.ndarray:
    """Matrices [frames, dims] side by side, cut to the shortest (paste-feats).

    Raises EntryError when their lengths differ by more than ``tolerance``, or one has no frames.
    """
    lengths = [len(part) for part in parts]
    shortest, longest = min(lengths), max(lengths)
    if longest - shortest > tolerance or not shortest:
        of = f" for utt {utterance}" if utterance else ""
        raise EntryError(f"Length mismatch {longest} vs. {shortest}{of} exceeds tolerance {tolerance}")
    return np.hstack([part[:shortest] for part in parts])


def concatenated(parts: Sequence[np.ndarray]) -> np.ndarray:
    """Matrices [frames, dim] one after the other (concat-feats). Raises KaldiError when dimensions differ."""
    dims = {part.shape[1] for part in parts}
    if len(dims) > 1:
        raise KaldiError(f"features of different dimensions cannot be concatenated: {sorted(dims)}")
    return np.concatenate(parts)


def with_vector(feats: np.ndarray, vector: np.ndarray) -> np.ndarray:
    """Features [frames, dim] with a vector at the end of each (append-vector-to-feats).

    Raises KaldiError where there are no frames, or nothing in the vector.
    """
    if not len(feats) or not len(vector):
        raise KaldiError(f"a vector of dimension {len(vector)} cannot be appended to {len(feats)} frames")
    return np.hstack([feats, np.broadcast_to(vector, (len(feats), len(vector)))])


def shifted(feats: np.ndarray, shift: int) -> np.ndarray:
    """Features [frames, dim] moved later by ``shift`` frames; what comes in at an end repeats it (shift-feats)."""
    return feats[np.clip(np.arange(len(feats)) - shift, 0, len(feats) - 1)]


def selected_dims(text: str, dim: int) -> list[int]:
    """Of a selection such as "0,24-22,3-12": dimensions in this order, of ``dim`` (select-feats).

    Raises KaldiError for anything else, or dimensions that are not there.
    """
    chosen: list[int] = []
    for part in text.split(","):
        found = re.fullmatch(r"\s*([0-9]+)(?:-([0-9]+))?\s*", part)
        if not found:
            raise KaldiError(f"{text!r} is no selection of dimensions such as 0,24-22,3-12")
        first, last = int(found[1]), int(found[2] or found[1])
        if max(first, last) >= dim:
            raise KaldiError(f"the selection {part} reaches beyond the features' {dim} dimensions, 0 to {dim - 1}")
        chosen += range(first, last + 1) if first <= last else range(first, last - 1, -1)
    return chosen

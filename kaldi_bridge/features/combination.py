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
    return np.hstack(_cut(parts, tolerance, utterance))


def multiplied(vectors: Sequence[np.ndarray], tolerance: int, utterance: str = "") -> np.ndarray:
    """The product of vectors [frames], cut to the shortest (multiply-vectors); raises EntryError as ``pasted`` does."""
    product = np.multiply.reduce(_cut(vectors, tolerance, utterance), axis=0, dtype=np.float32)
    return np.asarray(product)


def _cut(parts: Sequence[np.ndarray], tolerance: int, utterance: str) -> list[np.ndarray]:
    lengths = [len(part) for part in parts]
    shortest, longest = min(lengths), max(lengths)
    if longest - shortest > tolerance or not shortest:
        of = f" for utt {utterance}" if utterance else ""
        raise EntryError(f"Length mismatch {longest} vs. {shortest}{of} exceeds tolerance {tolerance}")
    return [part[:shortest] for part in parts]


def largest(matrices: Sequence[np.ndarray]) -> np.ndarray:
    """The largest of each element of matrices [rows, columns] and of 0 (matrix-max). Raises KaldiError where their
    columns differ."""
    columns = {matrix.shape[1] for matrix in matrices}
    if len(columns) > 1:
        raise KaldiError(f"matrices of different numbers of columns: {sorted(columns)}")
    found = np.zeros_like(matrices[0])
    for matrix in matrices:
        np.fmax(found, matrix, out=found)
    return found


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

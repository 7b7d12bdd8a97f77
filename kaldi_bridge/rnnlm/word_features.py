"""Sparse features of words, from which their embeddings are made (rnnlm/rnnlm-utils.h)."""

from __future__ import annotations

import numpy as np

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.sparse import SparseMatrix
from kaldi_bridge.io.streams import open_input
from kaldi_bridge.io.text import decode, fields, shown


def read_word_features(rxfilename: str, feature_dim: int) -> SparseMatrix:
    """[words, feature_dim] from lines of a word's number, which count up from 0, and of pairs of a feature and its value.

    Raises KaldiError naming the line.
    """
    indexes: list[np.ndarray] = []
    values: list[np.ndarray] = []
    with open_input(rxfilename) as stream:
        for number, line in enumerate(stream.lines()):

            def wrong(why: str) -> KaldiError:
                return KaldiError(f"{stream.name}: line {number + 1}: {why}: {shown(decode(line).rstrip())}")  # noqa: B023

            word, *rest = fields(line) or [b""]
            if word != b"%d" % number:
                raise wrong("The word-indexes are expected to be in order 0, 1, 2, ...")
            if len(rest) % 2:
                raise wrong(f"No value for feature-index {decode(rest[-1])}")
            try:
                index = np.array(list(map(int, rest[::2])), np.int64)
                value = np.array(list(map(float, rest[1::2])), np.float32)
            except (ValueError, OverflowError):
                raise wrong("expected a word's number and pairs of a feature and its value") from None
            if index.size and not (index.min() >= 0 and index.max() < feature_dim):
                raise wrong(f"Feature indexes should be from 0 to {feature_dim - 1}")
            if (np.diff(index) <= 0).any():
                raise wrong("feature indexes are expected to be in increasing order")
            indexes.append(index)
            values.append(value)
    if not indexes:
        raise KaldiError(f"{rxfilename}: No line could be read from the file.")
    return SparseMatrix.from_rows(list(zip(indexes, values, strict=True)), feature_dim)


def word_embeddings(features: SparseMatrix, embedding: np.ndarray) -> np.ndarray:
    """float32 [words, dim], the features times the embedding [features, dim] of each."""
    made = np.zeros((features.num_rows, embedding.shape[1]), np.float32)
    counts = np.diff(features.offsets)
    for place in range(int(counts.max(initial=0))):  # each word's first feature, then the second, and so on
        words = np.flatnonzero(counts > place)
        elements = features.offsets[words] + place
        made[words] += features.values[elements, None] * embedding[features.indexes[elements]]
    return made

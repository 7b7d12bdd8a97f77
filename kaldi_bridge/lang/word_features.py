"""Words as sparse combinations of features, which have the embeddings of a language model (rnnlm/rnnlm-utils.cc)."""

from __future__ import annotations

import numpy as np

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.sparse import SparseMatrix
from kaldi_bridge.io.streams import open_input
from kaldi_bridge.io.text import is_number, real_number, shown, words


def read_word_features(rxfilename: str, feature_dim: int) -> SparseMatrix:
    """[words, feature_dim], from lines ``word feature value feature value ...``: words 0, 1, 2 ..., features ascending.

    Raises:
        KaldiError: a line is not so, or there is none.
    """
    rows = []
    with open_input(rxfilename) as stream:
        for number, line in enumerate(stream.lines()):
            where = f"{rxfilename}, line {number + 1}"
            entries = words(line)
            if not entries or not is_number(entries[0]) or int(entries[0]) != number:
                raise KaldiError(
                    f"{where}: The word-indexes are expected to be in order 0, 1, 2, ...; here {number} is missing"
                )
            if len(entries) % 2 == 0:
                raise KaldiError(f"{where}: No value for feature-index {entries[-1]}")
            rows.append(_features(entries[1:], feature_dim, where))
    if not rows:
        raise KaldiError(f"{rxfilename}: No line could be read from the file.")
    return SparseMatrix.from_rows(rows, feature_dim)


def _features(entries: list[str], feature_dim: int, where: str) -> tuple[np.ndarray, np.ndarray]:
    for entry in entries[::2]:
        if not is_number(entry) or int(entry) >= feature_dim:
            raise KaldiError(
                f"{where}: Invalid feature index: {shown(entry)}. The feature embedding has {feature_dim} rows: "
                f"indexes are 0 to {feature_dim - 1}"
            )
    indexes = np.array([int(entry) for entry in entries[::2]], np.int32)
    if (np.diff(indexes) <= 0).any():
        raise KaldiError(f"{where}: feature indexes are expected to be in increasing order")
    return indexes, np.array([real_number(entry, "value of a feature") for entry in entries[1::2]], np.float32)


def word_embedding(features: SparseMatrix, feature_embedding: np.ndarray) -> np.ndarray:
    """float32 [words, dim]: the features of each word times their embeddings, float32 [feature_dim, dim].

    Raises:
        KaldiError: there are not as many embeddings as features.
    """
    if features.dim != len(feature_embedding):
        raise KaldiError(f"{features.dim} features do not fit {len(feature_embedding)} embeddings of features")
    made = np.zeros((features.num_rows, feature_embedding.shape[1]), np.float32)
    counts = np.diff(features.offsets)
    for k in range(int(counts.max(initial=0))):  # the k-th feature of all words that have so many
        having = np.flatnonzero(counts > k)
        at = features.offsets[having] + k
        made[having] += features.values[at, None] * feature_embedding[features.indexes[at]]
    return made

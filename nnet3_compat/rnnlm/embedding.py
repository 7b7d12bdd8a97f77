"""The embeddings of words in training: a matrix of them, or features of words times a matrix of the features' own."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.sparse import SparseMatrix


class WordEmbedding:
    """Embeddings, of all words or of those that occur in a minibatch.

    Attributes:
        matrix: float32 [words, dim] or [features, dim], what is trained.
    """

    def __init__(
        self, matrix: np.ndarray, features: SparseMatrix | None = None, device: torch.device | None = None
    ) -> None:
        """``features``: [words, features]. Raises KaldiError where there are not as many as rows of the matrix."""
        if features is not None and features.dim != len(matrix):
            raise KaldiError(
                f"Word-feature mat (e.g. from --read-sparse-word-features) has num-cols/feature-dim={features.dim} but "
                f"embedding matrix has num-rows/feature-dim={len(matrix)} (mismatch)."
            )
        self.matrix = torch.from_numpy(np.ascontiguousarray(matrix, np.float32)).to(device)
        self._features = features
        self._of_all = None if features is None else self._selected(np.arange(features.num_rows))

    @property
    def num_words(self) -> int:
        """With <eps>."""
        return len(self.matrix) if self._features is None else self._features.num_rows

    @property
    def has_features(self) -> bool:
        """Whether the matrix is of features."""
        return self._features is not None

    def of(self, words: np.ndarray | None) -> Tensor:
        """[n, dim], of some words, int64 [n], or of all."""
        if self._features is not None:
            return torch.sparse.mm(self._rows(words), self.matrix)
        return self.matrix if words is None else self.matrix[torch.from_numpy(words).to(self.matrix.device)]

    def of_features(self, derivative: Tensor, words: np.ndarray | None) -> Tensor:
        """[features, dim]: a derivative with respect to the embeddings of words, [n, dim], as that to the matrix."""
        return torch.sparse.mm(self._rows(words).t(), derivative)

    def _rows(self, words: np.ndarray | None) -> Tensor:
        if words is not None:
            return self._selected(words)
        assert self._of_all is not None
        return self._of_all

    def _selected(self, words: np.ndarray) -> Tensor:
        """Sparse [n, features]."""
        features = self._features
        assert features is not None
        counts = np.diff(features.offsets)[words]
        rows = np.repeat(np.arange(len(words)), counts)
        begins = np.cumsum(counts) - counts
        elements = np.arange(len(rows)) - np.repeat(begins - features.offsets[words], counts)
        where = torch.from_numpy(np.stack([rows, features.indexes[elements].astype(np.int64)]))
        values = torch.from_numpy(features.values[elements])
        size = (len(words), features.dim)
        made = torch.sparse_coo_tensor(where, values, size, is_coalesced=True, check_invariants=False)
        return made.to(self.matrix.device)

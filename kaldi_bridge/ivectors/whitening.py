"""What is done to i-vectors and x-vectors before PLDA: mean and transform of a PLDA directory, then the length.

Kaldi's ivector-subtract-global-mean, transform-vec and ivector-normalize-length, one after the other.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.matrix_files import read_vector_file
from kaldi_bridge.transforms.linear import read_transform, transform


@dataclass(frozen=True)
class Whitening:
    """``mean``: float32 [dim]; ``matrix``: float32 [rows, dim], or one column more where it is affine."""

    mean: np.ndarray
    matrix: np.ndarray

    @classmethod
    def read(cls, mean_rxfilename: str, matrix_rxfilename: str) -> Whitening:
        """Raises KaldiError where the two do not fit together."""
        mean, matrix = read_vector_file(mean_rxfilename), read_transform(matrix_rxfilename)
        if matrix.shape[1] - len(mean) not in (0, 1):
            raise KaldiError(
                f"{matrix_rxfilename} is for vectors of dimension {matrix.shape[1]}, {mean_rxfilename} has {len(mean)}"
            )
        return cls(mean, matrix)

    def __call__(self, vectors: np.ndarray) -> np.ndarray:
        """Vectors [N, dim] -> float32 [N, rows], of the length that is expected of them. Raises KaldiError."""
        if vectors.shape[1:] != self.mean.shape:
            raise KaldiError(f"vectors of dimension {vectors.shape[1]}, but their mean has {len(self.mean)}")
        whitened = transform(vectors - self.mean, self.matrix)
        lengths = np.linalg.norm(whitened.astype(np.float64), axis=1) / np.sqrt(whitened.shape[1])
        lengths[lengths == 0.0] = 1.0
        return whitened * (1.0 / lengths).astype(np.float32)[:, np.newaxis]

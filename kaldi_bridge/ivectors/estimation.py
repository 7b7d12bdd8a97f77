"""Statistics of weighted frames, and the i-vector that they give (OnlineIvectorEstimationStats)."""

from __future__ import annotations

import numpy as np

from kaldi_bridge.extension import _csrc
from kaldi_bridge.io.matrix_io import unpack_symmetric
from kaldi_bridge.ivectors.extractor import IvectorExtractor

NUM_ITERATIONS = 15  # of conjugate gradients; no option in Kaldi either


class IvectorStatistics:
    """The linear and the quadratic term, prior included, of some speaker's frames.

    ``count`` is the sum of the frames' weights. Where it exceeds a ``max_count`` > 0, the prior grows with it, which
    amounts to statistics scaled down.
    """

    def __init__(self, dim: int, prior_offset: float, max_count: float) -> None:
        self.count = 0.0
        self._prior_offset, self._max_count = prior_offset, max_count
        self._linear = np.zeros(dim)
        self._quadratic = np.zeros(dim * (dim + 1) // 2)
        self._diagonal = np.cumsum(np.arange(1, dim + 1)) - 1
        self._add_prior(1.0)

    def _add_prior(self, scale: float) -> None:
        self._linear[0] += self._prior_offset * scale
        self._quadratic[self._diagonal] += scale

    def _prior_scale(self, count: float) -> float:
        return max(count, self._max_count) / self._max_count if self._max_count > 0 else 1.0

    def accumulate(self, extractor: IvectorExtractor, feats: np.ndarray, posteriors: np.ndarray) -> None:
        """Adds features, float32 [frames, dim], with the weights, [frames, gaussians], which may be negative."""
        before = self.count
        self.count += _csrc.add_frames(
            extractor.linear, extractor.quadratic, feats, posteriors, self._linear, self._quadratic
        )
        self._add_prior(self._prior_scale(self.count) - self._prior_scale(before))

    def limit(self, count: float) -> None:
        """Scales down to at most this count; the prior keeps its scale."""
        if self.count <= count:
            return
        scale, before = count / self.count, self._prior_scale(self.count)
        self.count *= scale
        self._linear *= scale
        self._quadratic *= scale
        self._add_prior(self._prior_scale(self.count) - scale * before)

    def default(self) -> np.ndarray:
        """The i-vector without data, the prior's mean."""
        made = np.zeros(len(self._linear))
        made[0] = self._prior_offset
        return made

    def ivector(self, start: np.ndarray) -> np.ndarray:
        """The i-vector [dim], to be found from ``start`` on."""
        if not self.count > 0:
            return self.default()
        if start[0] == 0:
            start = start + self.default()
        found = _csrc.conjugate_gradients(self._quadratic, self._linear, start, NUM_ITERATIONS)
        if found is None:  # iterations made it worse
            a = unpack_symmetric(self._quadratic)
            return start + np.linalg.solve(a, self._linear - a @ start)
        return np.asarray(found)

    def improvement(self, ivector: np.ndarray) -> float:
        """Of the log-likelihood per frame over that with the default i-vector."""
        if self.count == 0:
            return 0.0
        a = unpack_symmetric(self._quadratic)
        better, default = (float(v @ self._linear - 0.5 * v @ a @ v) for v in (ivector, self.default()))
        return (better - default) / self.count

"""Maximization by L-BFGS, where the caller evaluates the function (matrix/optimization.cc, OptimizeLbfgs).

Nocedal and Wright, Numerical Optimization, algorithms 7.4 and 7.5. All numbers are single precision, as there.
"""

from __future__ import annotations

from collections import deque

import numpy as np

MEMORY = 10
ARMIJO, CURVATURE = np.float32(1e-4), np.float32(0.9)
MOST_LINE_SEARCH_STEPS = 50
LEAST_PRODUCT = 1e-20


class Lbfgs:
    """Alternate: evaluate the function at ``proposed``, and call ``step`` with its value and gradient.

    ``best`` is where the greatest value was seen so far.
    """

    def __init__(self, start: np.ndarray) -> None:
        self.proposed = self.best = self._x = start.astype(np.float32)
        self._best_value = np.float32(-np.inf)
        self._pairs: deque[tuple[np.ndarray, np.ndarray, np.float32]] = deque(maxlen=MEMORY)  # s, y, 1 / (y s)
        self._started = False

    def step(self, value: np.float32, gradient: np.ndarray) -> None:
        """Takes float32 value and gradient at ``proposed``, and proposes another point."""
        if value > self._best_value:
            self._best_value, self.best = value, self.proposed
        if self._started:
            self._search(value, gradient)
        else:
            self._started, self._scale = True, np.float32(-1.0)
            self._new_direction(value, gradient)

    def _new_direction(self, value: np.float32, gradient: np.ndarray) -> None:
        if self._pairs:
            s, y, _ = self._pairs[-1]
            with np.errstate(all="ignore"):
                scale = (s @ y) / (y @ y)
            self._scale = np.float32(scale if np.isfinite(scale) else -1.0)
        direction, alphas = gradient.copy(), []
        for s, y, rho in reversed(self._pairs):
            alphas.append(rho * (s @ direction))
            direction -= alphas[-1] * y
        direction *= self._scale
        for (s, y, rho), alpha in zip(self._pairs, reversed(alphas), strict=True):
            direction += (alpha - rho * (y @ direction)) * s
        self.proposed = self._x - direction
        self._value, self._gradient = value, gradient
        self._factor, self._failures, self._last_too_far = np.float32(2.0), 0, None

    _last_too_far: bool | None
    """Whether the last point of this line search was too far (else not far enough)."""

    def _search(self, value: np.float32, gradient: np.ndarray) -> None:
        moved = self.proposed @ self._gradient - self._x @ self._gradient
        too_far = not value >= self._value + ARMIJO * moved
        if not too_far and self.proposed @ gradient - self._x @ gradient <= CURVATURE * moved:
            if self._accept(value, gradient):
                self._new_direction(value, gradient)
            else:
                self._restart(value, gradient)
            return
        if self._last_too_far is (not too_far):
            self._factor = np.sqrt(self._factor)
        self._last_too_far = too_far
        self._failures += 1
        if self._failures > MOST_LINE_SEARCH_STEPS:
            self._restart(value, gradient)
            return
        scale = 1 / self._factor if too_far else self._factor
        before = self.proposed
        self.proposed = before * scale + np.float32(1 - scale) * self._x
        change, size = np.linalg.norm(self.proposed - before), np.linalg.norm(self.proposed)
        near = change <= 1e-8 * size and abs(self._value - value) < 1e-8 * abs(self._value)
        if change == 0 or (near and too_far):
            self.proposed = before
            self._restart(value, gradient)
            return
        self._failures += 1  # counted twice, there too

    def _accept(self, value: np.float32, gradient: np.ndarray) -> bool:
        s, y = self.proposed - self._x, gradient - self._gradient
        product = y @ s
        if product >= -LEAST_PRODUCT or not s.any():
            return False
        self._pairs.append((s, y, np.float32(1) / product))
        self._x = self.proposed
        return True

    def _restart(self, value: np.float32, gradient: np.ndarray) -> None:
        """Forgets what the function looks like, at the better one of two points."""
        self._pairs.clear()
        if value > self._value:
            self._x = self.proposed
            self._new_direction(value, gradient)
        else:
            self._new_direction(self._value, self._gradient)

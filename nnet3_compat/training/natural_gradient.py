"""Natural gradient for SGD, estimated online (Kaldi: nnet3/natural-gradient-online.{h,cc}).

D. Povey, X. Zhang, S. Khudanpur, "Parallel training of DNNs with natural gradient and parameter averaging", ICLR 2015
(workshop), appendix. Vectors x of dimension D, derivatives or inputs of a component, have an estimated covariance

    F_t = R_t^T D_t R_t + rho_t I

with R orthonormal rows, R [rank, D]; D_t is diagonal. A little of its trace makes it smoother,

    G_t = F_t + alpha tr(F_t) / D  I,     beta_t = rho_t (1 + alpha) + alpha tr(D_t) / D,

and the rows X [N, D] of a minibatch become X G_t^-1, but for a factor X - X W_t^T W_t with

    W_t = E_t^(1/2) R_t,     e_ii = 1 / (beta_t / d_ii + 1),

scaled so that their norm stays as it was. The estimate then forgets: F_{t+1} is close to eta/N X^T X + (1 - eta) F_t,
made of rank R again by one step of the power method.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from nnet3_compat.modules.products import product
from nnet3_compat.training.rows import Rows

EPSILON = 1.0e-10
DELTA = 5.0e-4
INITIAL_UPDATES = 10  # after these, only every ``update_period``-th call updates
CONDITION_LIMIT = 1.0e6


@dataclass
class Preconditioned:
    """The rows X become scale * X (I - W^T W); ``w`` [rank, D] is None where they stay as they are."""

    w: Tensor | None
    scale: Tensor

    def columns_(self, matrix: Tensor) -> Tensor:
        """M becomes M (I - W^T W), M [k, D]: what a product with X becomes; the scale is left to the caller."""
        return matrix if self.w is None else matrix.addmm_(matrix @ self.w.t(), self.w, alpha=-1.0)

    def rows_(self, matrix: Tensor) -> Tensor:
        """M becomes (I - W^T W) M, M [D, k]."""
        return matrix if self.w is None else matrix.addmm_(self.w.t(), self.w @ matrix, alpha=-1.0)


class OnlineNaturalGradient:
    """The estimate for the vectors of one place in a network.

    Args:
        num_samples_history: vectors after which the estimate has forgotten most of what it was.
        num_minibatches_history: the same in minibatches; used instead where not zero.
    """

    def __init__(
        self,
        rank: int = 40,
        update_period: int = 1,
        num_samples_history: float = 2000.0,
        num_minibatches_history: float = 0.0,
        alpha: float = 4.0,
    ) -> None:
        self.rank = rank
        self.update_period = update_period
        self.num_samples_history = num_samples_history
        self.num_minibatches_history = num_minibatches_history
        self.alpha = alpha
        self.calls = 0
        self.w: Tensor | None = None
        self._shrinking_of = (torch.empty(0), torch.empty(0))
        self.d = np.zeros(0)
        self.rho = 0.0

    def state_dict(self) -> dict[str, Any]:
        """All that has been learned, as tensors and numbers for a checkpoint."""
        return {"rank": self.rank, "calls": self.calls, "w": self.w, "d": torch.from_numpy(self.d), "rho": self.rho}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Goes on from such a state."""
        self.rank, self.calls, self.w, self.rho = (state[name] for name in ("rank", "calls", "w", "rho"))
        self.d = state["d"].cpu().numpy()

    def precondition(self, x: Rows, frozen: bool = False) -> Preconditioned:
        """What the rows become; the estimate learns from them, unless ``frozen``."""
        if self.w is None and x.dim > 1:
            self._initialize(x)
        if self.w is None:
            return Preconditioned(None, torch.ones((), device=x.blocks[0].device))
        updating = self.calls <= INITIAL_UPDATES or (self.calls - INITIAL_UPDATES) % self.update_period == 0
        self.calls += 1
        return self._step(x, updating and not frozen)

    def _initialize(self, x: Rows) -> None:
        """A few updates with the same data, from a start that is orthonormal and nowhere zero."""
        rank = self.rank = min(self.rank, x.dim - 1)
        start = np.zeros((rank, x.dim))
        column = np.arange(x.dim)
        start[column % rank, column] = 1.0
        start[np.arange(rank), np.arange(rank)] = 1.1
        start /= np.linalg.norm(start, axis=1, keepdims=True)
        start *= math.sqrt(1.0 / (2.0 + (x.dim + rank) * self.alpha / x.dim))
        like = x.blocks[0]
        self.w = torch.as_tensor(start, dtype=like.dtype, device=like.device)
        self.d, self.rho = np.full(rank, EPSILON), EPSILON
        updated = False
        for _ in range(1 if x.count <= rank else 3):
            before = self.w
            self._step(x, True)
            updated = updated or self.w is not before
        if not updated:  # nothing but infinities or NaNs
            self.w = None

    def _step(self, x: Rows, updating: bool) -> Preconditioned:
        w = self.w
        assert w is not None
        h, before = x.times_and_squared_norm(w)
        squares = product(h.t(), h).double()  # H^T H = W X^T X W^T
        after = before + torch.dot(squares.view(-1), self._shrinking(w).view(-1))
        scale = (before / after.clamp(min=1.0e-30)).sqrt()  # 0 for rows of zeros
        if updating:
            self._update(x, h, squares, float(before))
        return Preconditioned(w, scale.to(w.dtype))

    def _shrinking(self, w: Tensor) -> Tensor:
        """W W^T - 2 I, whose product with H^T H is what the squared norm of X changes by; known until W changes."""
        if self._shrinking_of[0] is not w:
            made = (w @ w.t()).double()
            made.diagonal().sub_(2.0)
            self._shrinking_of = w, made
        return self._shrinking_of[1]

    def _update(self, x: Rows, h: Tensor, squares: Tensor, squared_norm: float) -> None:
        w, d, rho, dim, rank = self.w, self.d, self.rho, x.dim, self.rank
        assert w is not None
        eta = self._eta(x.count)
        keep, new = 1.0 - eta, eta / x.count
        j = x.transposed_times(h)
        inverse_root = 1.0 / np.sqrt(self._e(d, rho, dim))
        k, l = (m.cpu().double().numpy() for m in (product(j, j.t()), squares))  # noqa: E741
        full = d + rho
        mixed = new * keep * inverse_root[:, None] * l * inverse_root
        z = new * new * inverse_root[:, None] * k * inverse_root + mixed * full + full[:, None] * mixed
        z[np.diag_indices(rank)] += (keep * full) ** 2
        if not np.isfinite(z).all() or not math.isfinite(squared_norm):
            return
        largest = max(1.0, float(np.trace(z)))
        # Not numpy's: its threads and torch's would get in each other's way.
        values, vectors = torch.linalg.eigh(torch.from_numpy(z / largest))
        c, u = values.flip(0).numpy() * largest, vectors.flip(1).numpy()
        floor = (rho * keep) ** 2
        reorthogonalize = c[0] > CONDITION_LIMIT * c[-1] or bool((c < floor).any())
        root_c = np.sqrt(np.maximum(c, floor))

        new_rho = (new * squared_norm + keep * (dim * rho + d.sum()) - root_c.sum()) / (dim - rank)
        least = max(EPSILON, DELTA * root_c.max())
        new_d = np.maximum(root_c - new_rho, least)
        new_rho = float(max(new_rho, least))

        e = self._e(new_d, new_rho, dim)
        a = new * np.sqrt(e)[:, None] / root_c[:, None] * u.T * inverse_root
        coefficients = torch.as_tensor(keep / new * full, dtype=w.dtype, device=w.device)
        made = torch.as_tensor(a, dtype=w.dtype, device=w.device) @ torch.addcmul(j, coefficients[:, None], w)
        if reorthogonalize:
            made = _orthogonalized(made, e)
        self.w, self.d, self.rho = made, new_d, new_rho

    def _eta(self, count: int) -> float:
        """How much of the old estimate is replaced."""
        if self.num_minibatches_history > 0.0:
            return 1.0 / self.num_minibatches_history
        return min(1.0 - math.exp(-count / self.num_samples_history), 0.9)

    def _e(self, d: np.ndarray, rho: float, dim: int) -> np.ndarray:
        beta = rho * (1.0 + self.alpha) + self.alpha * d.sum() / dim
        return 1.0 / (beta / d + 1.0)


def _orthogonalized(w: Tensor, e: np.ndarray) -> Tensor:
    """W = E^(1/2) R with the rows of R made orthonormal again, by Cholesky or else by QR."""
    root = np.sqrt(e)
    gram = (w @ w.t()).cpu().double().numpy() / (root[:, None] * root)
    if np.abs(gram - np.eye(len(gram))).max() <= 1.0e-3:
        return w
    try:
        inverse = np.linalg.inv(np.linalg.cholesky(gram))
        if not inverse.max() < 100.0:
            raise np.linalg.LinAlgError
        return torch.as_tensor(root[:, None] * inverse / root, dtype=w.dtype, device=w.device) @ w
    except np.linalg.LinAlgError:
        q, r = np.linalg.qr(w.cpu().double().numpy().T)
        rows = (q * np.where(np.diag(r) < 0.0, -1.0, 1.0)).T
        return torch.as_tensor(root[:, None] * rows, dtype=w.dtype, device=w.device)

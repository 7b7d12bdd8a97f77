"""Limits of how far a minibatch may move the parameters (Kaldi: nnet3/nnet-utils.cc, UpdateNnetWithMaxChange)."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from kaldi_bridge import log


class MaxChange:
    """Limits of the norm of the change: of each component, and of the whole network.

    Args:
        limits: component -> its limit, 0: none.
        limit: of the whole network, 0: none.
        quiet: no message when a limit is reached.
    """

    def __init__(self, limits: dict[str, float], limit: float, quiet: bool = False) -> None:
        self.limits, self.limit, self._quiet = limits, limit, quiet
        self._counts = dict.fromkeys(limits, 0)
        self._count = 0
        self._minibatches = 0

    def factors(self, changes: dict[str, list[Tensor]], scale: float, slack: float = 1.0) -> dict[str, float] | None:
        """What to multiply each component's change by, ``scale`` included; None where it is infinite or no number.

        The limits are multiplied by ``slack``.
        """
        self._minibatches += 1
        names = list(changes)
        if not names:
            return {}
        squares = torch.stack([_squared_norm(changes[name]) for name in names]).tolist()
        size = abs(scale)
        factors, total = {}, 0.0
        for name, square in zip(names, squares, strict=True):
            limit, norm = self.limits[name] * slack, math.sqrt(square) * size
            limited = limit != 0.0 and norm > limit
            self._counts[name] += limited
            factors[name] = limit / norm if limited and math.isfinite(norm) else 1.0
            total += factors[name] ** 2 * square
        norm = math.sqrt(total) * size
        if not math.isfinite(norm):
            if not self._quiet:
                log.warning("Infinite parameter change, will not apply.")
            return None
        overall = 1.0
        if self.limit != 0.0 and norm > self.limit * slack:
            overall = self.limit * slack / norm
            self._count += 1
        if not self._quiet:
            self._report(factors, overall)
        return {name: factor * overall * scale for name, factor in factors.items()}

    def _report(self, factors: dict[str, float], overall: float) -> None:
        limited = [name for name, factor in factors.items() if factor < 1.0]
        text = ""
        if limited:
            least = min(limited, key=factors.__getitem__)
            text += (
                f"Per-component max-change active on {len(limited)} / {len(factors)} Updatable Components. "
                f"(Smallest factor={factors[least]:g} on {least} with max-change={self.limits[least]:g}). "
            )
        if overall < 1.0:
            text += f"Global max-change factor was {overall:g} with max-change={self.limit:g}."
        if text:
            log.info(text)

    def report_totals(self) -> None:
        """How often each limit was reached."""
        for name, count in self._counts.items():
            if count:
                share = 100.0 * count / self._minibatches
                log.info(f"For {name}, per-component max-change was enforced {share:g} % of the time.")
        if self._count:
            log.info(f"The global max-change was enforced {100.0 * self._count / self._minibatches:g} % of the time.")


def _squared_norm(tensors: list[Tensor]) -> Tensor:
    return torch.stack([torch.linalg.vector_norm(t).double() ** 2 for t in tensors]).sum()

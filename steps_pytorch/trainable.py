"""What is trained, saved, resumed and averaged: the base of models and objectives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from kaldi_bridge.errors import KaldiError


class Trainable(nn.Module):
    """A module that knows how the states of parallel jobs become one.

    ``state_dict()`` is its whole state: parameters, statistics, and whatever else a resumed run needs (a replay buffer,
    a count of updates), as buffers.
    """

    def average_states(self, states: Sequence[dict[str, Any]], weights: Sequence[float]) -> dict[str, Any]:
        """One state of several of this module: floating-point tensors are averaged, others are the first's.

        ``weights`` sum to one. Override where an average has no meaning (of a replay buffer: a share of each); what
        is trainable within a module averages its own part of the states.

        Raises:
            KaldiError: the states have different entries or shapes.
        """
        first = states[0]
        for state in states[1:]:
            if state.keys() != first.keys():
                different = sorted(state.keys() ^ first.keys())
                raise KaldiError(f"states of different modules cannot be averaged: only one of them has {different[0]}")
        made: dict[str, Any] = {}
        for prefix, part in self._parts().items():
            own = [{n[len(prefix) :]: v for n, v in state.items() if n.startswith(prefix)} for state in states]
            made |= {prefix + name: value for name, value in part.average_states(own, weights).items()}
        names = [name for name in first if name not in made]
        return made | {name: average_entry(name, [state[name] for state in states], weights) for name in names}

    def _parts(self) -> dict[str, Trainable]:
        """The outermost trainables within, by the prefixes of their entries."""
        found: dict[str, Trainable] = {}
        for name, module in self.named_modules():
            inner = module is self or any(f"{name}.".startswith(prefix) for prefix in found)
            if isinstance(module, Trainable) and not inner:
                found[f"{name}."] = module
        return found


def average_entry(name: str, values: list[Any], weights: Sequence[float]) -> Any:
    """The average of floating-point tensors; of anything else the first. Raises KaldiError for different shapes."""
    first = values[0]
    if not isinstance(first, Tensor) or not first.is_floating_point():
        return first
    if any(value.shape != first.shape for value in values):
        raise KaldiError(f"states of different modules cannot be averaged: {name} has different shapes")
    total = torch.zeros_like(first, dtype=torch.float64)
    for value, weight in zip(values, weights, strict=True):
        total += weight * value.to(total)
    return total.to(first.dtype)

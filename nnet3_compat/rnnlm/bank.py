"""States of many histories, kept together."""

from __future__ import annotations

import torch
from torch import Tensor


class Bank:
    """Tensors with a place for each history in one dimension; room for more is made by doubling, and used again."""

    def __init__(self, dim: int) -> None:
        self._dim = dim
        self._values: dict[int, Tensor] = {}
        self._size = 0
        self._unused: list[int] = []

    def take(self, places: list[int]) -> dict[int, Tensor]:
        """What was put at these places."""
        chosen = torch.tensor(places)
        return {i: x.index_select(self._dim, chosen.to(x.device)) for i, x in self._values.items()}

    def put(self, values: dict[int, Tensor], count: int) -> list[int]:
        """Keeps those of ``count`` histories, whose other dimensions are always the same. Returns their places."""
        again = min(count, len(self._unused))
        places = [self._unused.pop() for _ in range(again)]
        places += range(self._size, self._size + count - again)
        self._size += count - again
        chosen = torch.tensor(places)
        for i, new in values.items():
            old = self._values.get(i)
            if old is None or old.shape[self._dim] < self._size:
                shape = list(new.shape)
                shape[self._dim] = max(2 * self._size, 64)
                grown = new.new_empty(shape)
                if old is not None:
                    grown.narrow(self._dim, 0, old.shape[self._dim]).copy_(old)
                self._values[i] = grown
            self._values[i].index_copy_(self._dim, chosen.to(new.device), new)
        return places

    def release(self, places: list[int]) -> None:
        """Nobody takes from these places any more."""
        self._unused += places

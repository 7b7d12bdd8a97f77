"""States of many histories, kept together."""

from __future__ import annotations

from torch import Tensor


class Bank:
    """Tensors that get longer in one dimension, in which a history has a place; room for more is made by doubling.

    Attributes:
        size: number of histories.
    """

    def __init__(self, dim: int) -> None:
        self._dim = dim
        self.size = 0
        self._values: dict[int, Tensor] = {}

    def take(self, places: Tensor) -> dict[int, Tensor]:
        """Those of some histories, int64 [n]."""
        return {i: x.index_select(self._dim, places) for i, x in self._values.items()}

    def append(self, values: dict[int, Tensor], count: int) -> None:
        """Those of ``count`` new histories. The other dimensions are always the same."""
        end = self.size + count
        for i, new in values.items():
            old = self._values.get(i)
            if old is None or old.shape[self._dim] < end:
                shape = list(new.shape)
                shape[self._dim] = max(2 * end, 64)
                grown = new.new_empty(shape)
                if old is not None:
                    grown.narrow(self._dim, 0, self.size).copy_(old.narrow(self._dim, 0, self.size))
                self._values[i] = grown
            self._values[i].narrow(self._dim, self.size, count).copy_(new)
        self.size = end

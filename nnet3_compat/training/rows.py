"""Many vectors of which only products are needed, never put together in one matrix."""

from __future__ import annotations

import torch
from torch import Tensor

from nnet3_compat.modules.overlapping import Overlapping
from nnet3_compat.modules.products import product


class Rows:
    """X = [blocks[0], blocks[1], ..., 1], one row for each vector; the last column of ones is optional.

    The blocks [rows, columns] stay where they are: inputs at several time offsets overlap in memory, and products with
    these are products with what they span.
    """

    def __init__(self, blocks: list[Tensor], ones: bool = False) -> None:
        self.blocks = blocks
        self.ones = ones
        self.count = blocks[0].shape[0]
        self.dim = sum(block.shape[1] for block in blocks) + ones
        self._overlapping = Overlapping.of(blocks)

    def times(self, columns: Tensor) -> Tensor:
        """X C^T for C [k, dim]: [rows, k]."""
        if self._overlapping is not None:
            made = self._overlapping.times(columns[:, : self.dim - self.ones])
            return made.add_(columns[:, -1]) if self.ones else made
        total, at = None, 0
        for block in self.blocks:
            part = columns[:, at : at + block.shape[1]].t()
            if total is None:
                total = product(block, part, columns[:, -1] if self.ones else None)
            else:
                product(block, part, out=total, add=True)
            at += block.shape[1]
        assert total is not None
        return total

    def transposed_times(self, other: Tensor) -> Tensor:
        """A^T X for A [rows, k]: [k, dim]."""
        if self._overlapping is not None:
            parts = [self._overlapping.transposed_times(other)]
        else:
            parts = [product(other.t(), block) for block in self.blocks]
        if self.ones:
            parts.append(other.sum(0).unsqueeze(1))
        return parts[0] if len(parts) == 1 else torch.cat(parts, 1)

    def squared_norm(self) -> Tensor:
        """The sum of all squared elements, in double precision."""
        if self._overlapping is not None:
            total = self._overlapping.squared_norm()
        else:
            total = torch.stack([torch.linalg.vector_norm(block).double() ** 2 for block in self.blocks]).sum()
        return total + (self.count if self.ones else 0)

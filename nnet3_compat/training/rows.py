"""Many vectors of which only products are needed, never put together in one matrix."""

from __future__ import annotations

import torch
from torch import Tensor

from nnet3_compat.modules.overlapping import Overlapping
from nnet3_compat.modules.products import product, product_and_squares, product_and_sums

LINE = 16  # numbers


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

    def times_and_squared_norm(self, columns: Tensor) -> tuple[Tensor, Tensor]:
        """X C^T for C [k, dim], [rows, k], and the sum of all squared elements of X, in double precision."""
        of_ones = columns[:, -1] if self.ones else None
        if self._overlapping is not None:
            made, norm = self._overlapping.times_and_squared_norm(columns[:, : self.dim - self.ones])
            made = made if of_ones is None else made.add_(of_ones)
        else:
            parts = columns[:, : self.dim - self.ones].split([block.shape[1] for block in self.blocks], 1)
            made, squares = product_and_squares(self.blocks[0], parts[0].t(), of_ones)
            norm = squares.sum()
            for block, part in zip(self.blocks[1:], parts[1:], strict=True):
                more, squares = product_and_squares(block, part.t())
                made.add_(more)
                norm = norm + squares.sum()
        return made, norm + (self.count if self.ones else 0)

    def transposed_times(self, other: Tensor) -> Tensor:
        """A^T X for A [rows, k]: [k, dim], a matrix that nothing else refers to."""
        if self._overlapping is not None:
            made = self._overlapping.transposed_times(other)
            return torch.cat([made, other.sum(0).unsqueeze(1)], 1) if self.ones else made
        # Its rows begin where lines of the cache do: products are put there in pieces of such lines.
        made = other.new_empty(other.shape[1], -(-self.dim // LINE) * LINE)[:, : self.dim]
        parts = made[:, : self.dim - self.ones].split([block.shape[1] for block in self.blocks], 1)
        for block, part in zip(self.blocks[self.ones :], parts[self.ones :], strict=True):
            product(other.t(), block, out=part)
        if self.ones:
            made[:, -1] = product_and_sums(other, self.blocks[0], parts[0])
        return made

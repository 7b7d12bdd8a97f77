"""Rows of one matrix, read at several shifts: products with all of them are one product with what they span."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from nnet3_compat.modules.products import product, product_and_squares


@dataclass
class Overlapping:
    """Blocks X_k [count, dim]: the rows of ``span`` [rows, dim] from ``firsts[k]`` on.

    A product with each block alone would read, and a matrix library copy, nearly all of ``span`` each time.
    """

    span: Tensor
    firsts: list[int]
    count: int

    @classmethod
    def of(cls, blocks: Sequence[Tensor]) -> Overlapping | None:
        """None where there is a single block, or where they have no more memory in common than not."""
        first = blocks[0]
        count, dim = first.shape
        storage = first.untyped_storage().data_ptr()
        if len(blocks) < 2 or not all(
            block.shape == first.shape and block.is_contiguous() and block.untyped_storage().data_ptr() == storage
            for block in blocks
        ):
            return None
        offsets = [block.storage_offset() for block in blocks]
        low = min(offsets)
        if any((offset - low) % dim for offset in offsets):
            return None
        firsts = [(offset - low) // dim for offset in offsets]
        rows = max(firsts) + count
        if rows >= 2 * count:
            return None
        return cls(first.as_strided((rows, dim), (dim, 1), low), firsts, count)

    def times(self, weight: Tensor) -> Tensor:
        """sum_k X_k W_k^T for W [n, blocks * dim]: [count, n]."""
        return self._sum(product(self.span, self._stacked(weight).t()), weight.shape[0])

    def times_and_squared_norm(self, weight: Tensor) -> tuple[Tensor, Tensor]:
        """``times``, and the sum of the squared elements of all blocks, in double precision."""
        each, squares = product_and_squares(self.span, self._stacked(weight).t())
        total = torch.stack([squares[first : first + self.count].sum() for first in self.firsts]).sum()
        return self._sum(each, weight.shape[0]), total

    def _sum(self, each: Tensor, n: int) -> Tensor:
        """Of the products with each block, side by side in ``each`` [rows, blocks * n]."""
        made = each[self.firsts[0] : self.firsts[0] + self.count, :n]
        for k, first in enumerate(self.firsts[1:], 1):
            part = each[first : first + self.count, k * n : (k + 1) * n]
            made = made + part if k == 1 else made.add_(part)
        return made

    def transposed_times(self, other: Tensor) -> Tensor:
        """[A^T X_0, A^T X_1, ...] for A [count, n]: [n, blocks * dim]."""
        n, dim = other.shape[1], self.span.shape[1]
        made = product(self._spread(other).t(), self.span)
        return made.view(len(self.firsts), n, dim).transpose(0, 1).reshape(n, -1)

    def gradient(self, of_product: Tensor, weight: Tensor, out: Tensor | None = None) -> Tensor:
        """Of ``span``, from that of ``times(weight)``: [rows, dim]; into ``out``, where it is given."""
        return product(self._spread(of_product), self._stacked(weight), out=out)

    def _stacked(self, weight: Tensor) -> Tensor:
        """[n, blocks * dim] -> [blocks * n, dim]."""
        blocks, dim = len(self.firsts), self.span.shape[1]
        return weight.reshape(-1, blocks, dim).transpose(0, 1).reshape(-1, dim)

    def _spread(self, other: Tensor) -> Tensor:
        """A [count, n] -> [rows, blocks * n]: A side by side, each shifted to where its block begins."""
        n = other.shape[1]
        made = other.new_zeros(self.span.shape[0], len(self.firsts) * n)
        for k, first in enumerate(self.firsts):
            made[first : first + self.count, k * n : (k + 1) * n] = other
        return made

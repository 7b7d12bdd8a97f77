"""Many vectors of which only products are needed, never put together in one matrix."""

from __future__ import annotations

import torch
from torch import Tensor


class Rows:
    """X = [blocks[0], blocks[1], ..., 1], one row for each vector; the last column of ones is optional.

    The blocks [rows, columns] stay where they are: inputs at several time offsets overlap in memory.
    """

    def __init__(self, blocks: list[Tensor], ones: bool = False) -> None:
        self.blocks = blocks
        self.ones = ones
        self.count = blocks[0].shape[0]
        self.dim = sum(block.shape[1] for block in blocks) + ones

    def times(self, columns: Tensor) -> Tensor:
        """X C^T for C [k, dim]: [rows, k]."""
        made = columns[:, -1].expand(self.count, -1) if self.ones else None
        at = 0
        for block in self.blocks:
            part = columns[:, at : at + block.shape[1]].t()
            made = block @ part if made is None else torch.addmm(made, block, part)
            at += block.shape[1]
        assert made is not None
        return made

    def transposed_times(self, other: Tensor) -> Tensor:
        """A^T X for A [rows, k]: [k, dim]."""
        parts = [other.t() @ block for block in self.blocks]
        if self.ones:
            parts.append(other.sum(0).unsqueeze(1))
        return parts[0] if len(parts) == 1 else torch.cat(parts, 1)

    def squared_norm(self) -> Tensor:
        """The sum of all squared elements, in double precision."""
        total = sum(
            (torch.linalg.vector_norm(block).double() ** 2 for block in self.blocks), self.blocks[0].new_zeros(())
        )
        return total.double() + (self.count if self.ones else 0)

"""Columns selected, summed, multiplied, in groups or blocks (Kaldi: nnet3/nnet-simple-component.cc)."""

from __future__ import annotations

import torch
from torch import Tensor

from nnet3_compat.components.rearrange import (
    DistributeComponent,
    ElementwiseProductComponent,
    PermuteComponent,
    PnormComponent,
    SumBlockComponent,
    SumGroupComponent,
)
from nnet3_compat.modules.base import ComponentModule, in_blocks, module_for


@module_for(SumBlockComponent)
class SumBlock(ComponentModule[SumBlockComponent]):
    """The scaled sum of the blocks of ``output_dim`` columns."""

    def __init__(self, component: SumBlockComponent) -> None:
        super().__init__(component)
        self.output_dim: int = component.output_dim
        self.scale: float = component.scale_factor
        self.blocks: int = component.input_dim // component.output_dim

    def forward(self, x: Tensor) -> Tensor:
        return self.scale * in_blocks(x, self.blocks).sum(-2)


@module_for(SumGroupComponent)
class SumGroup(ComponentModule[SumGroupComponent]):
    """Sums of consecutive groups of columns, each of its own size."""

    def __init__(self, component: SumGroupComponent) -> None:
        super().__init__(component)
        sizes = torch.tensor([int(n) for n in component.sizes])
        self.output_dim: int = len(sizes)
        self.uniform: bool = bool((sizes == sizes[0]).all())
        group = torch.repeat_interleave(torch.arange(len(sizes)), sizes)
        belongs = torch.arange(0 if self.uniform else len(sizes)).unsqueeze(1) == group
        self.register_buffer("belongs", belongs.float(), persistent=False)  # [output, input]

    def forward(self, x: Tensor) -> Tensor:
        if self.uniform:
            return in_blocks(x, self.output_dim).sum(-1)
        return torch.nn.functional.linear(x, self.belongs)


@module_for(PermuteComponent)
class Permute(ComponentModule[PermuteComponent]):
    """Column i of the output is column ``column_map[i]`` of the input."""

    def __init__(self, component: PermuteComponent) -> None:
        super().__init__(component)
        columns = torch.tensor([int(i) for i in component.column_map])
        self.register_buffer("column_map", columns, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        return x.index_select(-1, self.column_map)


@module_for(ElementwiseProductComponent)
class ElementwiseProduct(ComponentModule[ElementwiseProductComponent]):
    """The product of the blocks of ``output_dim`` columns."""

    def __init__(self, component: ElementwiseProductComponent) -> None:
        super().__init__(component)
        self.output_dim: int = component.output_dim

    def forward(self, x: Tensor) -> Tensor:
        parts = x.split(self.output_dim, dim=-1)
        product = parts[0]
        for part in parts[1:]:
            product = product * part
        return product


@module_for(PnormComponent)
class Pnorm(ComponentModule[PnormComponent]):
    """The 2-norm of each group of consecutive columns."""

    def __init__(self, component: PnormComponent) -> None:
        super().__init__(component)
        self.output_dim: int = component.output_dim

    def forward(self, x: Tensor) -> Tensor:
        return torch.linalg.vector_norm(in_blocks(x, self.output_dim), dim=-1)


@module_for(DistributeComponent)
class Distribute(ComponentModule[DistributeComponent]):
    """Block ``x mod num_blocks`` of the input at index ``x div num_blocks``, for the output's extra index ``x``.

    Networks resolve the extra index before they run, so an output at one ``x`` is just a range of columns.
    """

    def __init__(self, component: DistributeComponent) -> None:
        super().__init__(component)
        self.output_dim: int = component.output_dim

    def forward(self, x: Tensor, block: int = 0) -> Tensor:
        return x[..., block * self.output_dim : (block + 1) * self.output_dim]

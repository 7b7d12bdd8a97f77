"""Affine map of several frames (Kaldi: nnet3/nnet-tdnn-component.cc)."""

from __future__ import annotations

from typing import Any, List  # noqa: UP035  (TorchScript)

import torch
import torch.nn.functional as F
from torch import Tensor

from nnet3_compat.components.tdnn import TdnnComponent
from nnet3_compat.modules.base import ComponentModule, module_for
from nnet3_compat.modules.leaves import add_rows, leaf_size, read_leaf
from nnet3_compat.modules.overlapping import Overlapping
from nnet3_compat.modules.products import product


@module_for(TdnnComponent)
class Tdnn(ComponentModule[TdnnComponent]):
    """y_t = b + sum_k W_k x_{t + offset_k}; the columns of ``linear_params`` are W_0, W_1, ...

    One matrix product per offset, each adding to the same result: frames that lie densely are not copied.
    """

    PARAMS = ("linear_params", "bias_params")
    ROLES = ("weight", "bias")
    READS_TAPS = True

    def __init__(self, component: TdnnComponent) -> None:
        super().__init__(component)
        self.has_bias: bool = component.bias_params.size > 0
        self.input_dim: int = component.input_dim
        self.observers: Any = None  # called in training with the taps and the output

    def forward(self, taps: List[Tensor], valid: List[Tensor]) -> Tensor:  # noqa: UP006
        first, weight, dim = taps[0], self.linear_params, self.input_dim
        if len(taps) == 1:
            return F.linear(first, weight, self.bias_params if self.has_bias else None)
        rows = first.reshape(-1, dim)
        if self.has_bias:
            y = torch.addmm(self.bias_params, rows, weight[:, :dim].t())
        else:
            y = torch.mm(rows, weight[:, :dim].t())
        for k in range(1, len(taps)):
            part = weight[:, k * dim : (k + 1) * dim].t()
            y.addmm_(taps[k].reshape(-1, dim).to(y.dtype), part.to(y.dtype))  # narrower ones where autocast is on
        return y.view(first.size(0), first.size(1), -1)

    def affine(self) -> tuple[Tensor, Tensor | None]:
        return self.linear_params, self.bias_params if self.has_bias else None

    @torch.jit.unused
    def train_on(self, x: Tensor, spec: List[int], rows: int) -> Tensor:  # noqa: UP006
        """As forward, for the ``rows`` output frames whose taps a layout's ``spec`` reads in ``x`` [T, N, D].

        All taps are one product where they can be: side by side, or as a product with the rows that they share.
        """
        weight, bias = self.linear_params, self.bias_params if self.has_bias else None
        kind = x.device.type
        if torch.is_autocast_enabled(kind):  # which knows no products in place
            narrow = torch.get_autocast_dtype(kind)
            x, weight, bias = x.to(narrow), weight.to(narrow), None if bias is None else bias.to(narrow)
        taps, at = [], 1
        with torch.no_grad():
            for _ in range(weight.shape[1] // self.input_dim):
                taps.append(read_leaf(x, spec, at, rows))
                at += leaf_size(spec, at)
            if len(taps) > 1 and self.input_dim < weight.shape[0]:  # smaller than what comes out
                taps = [torch.cat(taps, 2)]
        y = _Product.apply(x, weight, bias, taps, spec)
        for observer in self.observers or ():
            observer(taps, y)
        return y


class _Product(torch.autograd.Function):
    """The sum of the products of ``taps``, those that ``spec`` reads in x, one by one or all side by side."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, taps: list[Tensor], spec: list[int]
    ) -> Tensor:
        ctx.taps, ctx.spec, ctx.shape, ctx.begin = taps, spec, x.shape, x.storage_offset()
        ctx.save_for_backward(weight)
        blocks = [tap.reshape(-1, tap.shape[2]) for tap in taps]
        ctx.overlapping = Overlapping.of(blocks) if x.is_contiguous() else None
        if ctx.overlapping is not None:
            y = ctx.overlapping.times(weight)
            y = y if bias is None else y.add_(bias)
        else:
            dim = blocks[0].shape[1]
            parts = [(block, weight[:, k * dim : (k + 1) * dim].t()) for k, block in enumerate(blocks)]
            y = product(*parts[0], bias)
            for part in parts[1:]:
                product(*part, out=y, add=True)
        return y.view(taps[0].shape[0], x.shape[1], -1)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        (weight,) = ctx.saved_tensors
        rows = gradient.reshape(-1, gradient.shape[2])
        of_x = of_weight = of_bias = None
        if ctx.needs_input_grad[0]:
            of_x = _of_overlapping(ctx, rows, weight) if ctx.overlapping is not None else _of_taps(ctx, rows, weight)
        if ctx.needs_input_grad[1]:
            if ctx.overlapping is not None:
                of_weight = ctx.overlapping.transposed_times(rows)
            else:
                of_weight = torch.cat([product(rows.t(), tap.reshape(-1, tap.shape[2])) for tap in ctx.taps], 1)
        if ctx.needs_input_grad[2]:
            of_bias = rows.sum(0)
        return of_x, of_weight, of_bias, None, None


def _of_overlapping(ctx: Any, rows: Tensor, weight: Tensor) -> Tensor:
    """The derivative of x [T, N, D] where taps overlap; frames that they do not span have none."""
    made, span = rows.new_empty(ctx.shape), ctx.overlapping.span
    every = made.view(-1, ctx.shape[2])
    before = (span.storage_offset() - ctx.begin) // every.shape[1]
    within = slice(before, before + len(span))
    every[: within.start], every[within.stop :] = 0.0, 0.0
    ctx.overlapping.gradient(rows, weight, every[within])
    return made


def _of_taps(ctx: Any, rows: Tensor, weight: Tensor) -> Tensor:
    """The derivative of x [T, N, D], tap by tap."""
    sequences, dim = ctx.shape[1:]
    taps, spec = weight.shape[1] // dim, ctx.spec
    count = len(rows) // sequences
    if taps == 1 and spec[1:7] == [1, 0, 1, 0, 1, count] and count == ctx.shape[0]:
        return product(rows, weight).view(ctx.shape)
    side_by_side = product(rows, weight).view(count, sequences, -1) if len(ctx.taps) < taps else None
    made, at = rows.new_zeros(ctx.shape), 1
    for k in range(taps):
        columns = slice(k * dim, (k + 1) * dim)
        if spec[at] != 0:
            if side_by_side is None:
                add_rows(made, spec, at, product(rows, weight[:, columns]).view(count, sequences, dim))
            else:
                add_rows(made, spec, at, side_by_side[..., columns])
        at += leaf_size(spec, at)
    return made

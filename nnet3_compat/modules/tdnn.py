"""Affine map of several frames (Kaldi: nnet3/nnet-tdnn-component.cc)."""

from __future__ import annotations

from typing import Any, List  # noqa: UP035  (TorchScript)

import torch
import torch.nn.functional as F
from torch import Tensor

from nnet3_compat.components.tdnn import TdnnComponent
from nnet3_compat.modules.base import ComponentModule, module_for
from nnet3_compat.modules.leaves import add_rows, leaf_size, read_leaf


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

        The derivative of ``x`` is made in place, tap by tap, where autograd would make one as large for each tap.
        """
        weight, bias = self.linear_params, self.bias_params if self.has_bias else None
        kind = x.device.type
        if torch.is_autocast_enabled(kind):  # which knows no products in place
            narrow = torch.get_autocast_dtype(kind)
            x, weight, bias = x.to(narrow), weight.to(narrow), None if bias is None else bias.to(narrow)
        taps, at = [], 1
        with torch.no_grad():
            for _ in range(self.linear_params.shape[1] // self.input_dim):
                taps.append(read_leaf(x, spec, at, rows))
                at += leaf_size(spec, at)
        y = _Product.apply(x, weight, bias, taps, spec)
        for observer in self.observers or ():
            observer(taps, y)
        return y


class _Product(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, taps: list[Tensor], spec: list[int]
    ) -> Tensor:
        ctx.taps, ctx.spec, ctx.shape = taps, spec, x.shape
        ctx.save_for_backward(weight)
        dim, shape = x.shape[2], (taps[0].shape[0], x.shape[1])
        parts = [(tap.reshape(-1, dim), weight[:, k * dim : (k + 1) * dim].t()) for k, tap in enumerate(taps)]
        y = torch.mm(*parts[0]) if bias is None else torch.addmm(bias, *parts[0])
        for part in parts[1:]:
            y.addmm_(*part)
        return y.view(*shape, -1)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        (weight,) = ctx.saved_tensors
        dim, spec = ctx.shape[2], ctx.spec
        rows = gradient.reshape(-1, gradient.shape[2])
        of_x = of_weight = of_bias = None
        if ctx.needs_input_grad[0]:
            count, at = gradient.shape[0], 1
            for k in range(len(ctx.taps)):
                part = weight[:, k * dim : (k + 1) * dim]
                dense = spec[at] == 1 and spec[at + 1] == 0 and spec[at + 4] == 1 and spec[at + 5] == count
                begin, end = (spec[at + 3], spec[at + 3] + count) if dense else (0, 0)
                if of_x is None:  # what the first tap does not write is zero
                    of_x = gradient.new_empty(ctx.shape)
                    of_x[:begin].zero_()
                    of_x[end:].zero_()
                    if dense:
                        torch.mm(rows, part, out=of_x[begin:end].view(-1, dim))
                elif dense:
                    of_x[begin:end].view(-1, dim).addmm_(rows, part)
                if not dense and spec[at] != 0:
                    add_rows(of_x, spec, at, (rows @ part).view(count, ctx.shape[1], dim))
                at += leaf_size(spec, at)
        if ctx.needs_input_grad[1]:
            of_weight = torch.cat([rows.t() @ tap.reshape(-1, dim) for tap in ctx.taps], 1)
        if ctx.needs_input_grad[2]:
            of_bias = rows.sum(0)
        return of_x, of_weight, of_bias, None, None

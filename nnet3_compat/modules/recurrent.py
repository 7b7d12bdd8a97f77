"""The nonlinear parts of LSTM and GRU (Kaldi: nnet3/nnet-combined-component.cc, cudamatrix/cu-math.cc)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from nnet3_compat.components.gru import GruNonlinearityComponent, OutputGruNonlinearityComponent
from nnet3_compat.components.lstm import LstmNonlinearityComponent
from nnet3_compat.modules.base import ComponentModule, in_blocks, module_for

GATE_STATS = ("value_sum", "deriv_sum", "self_repair_total", "count")


class Product(nn.Module):
    """W x, a module so that training can watch it."""

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        return torch.nn.functional.linear(x, w)


class ElementwiseProduct(nn.Module):
    """w * x, a module so that training can watch it."""

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        return x * w


@module_for(LstmNonlinearityComponent)
class LstmNonlinearity(ComponentModule[LstmNonlinearityComponent]):
    """(i, f, c, o, c_{t-1}) -> (c_t, m_t), ``params`` = the peephole weights w_ic, w_fc, w_oc.

        c_t = s_f sigmoid(f + w_fc c_{t-1}) c_{t-1} + s_i sigmoid(i + w_ic c_{t-1}) tanh(c)
        m_t = s_o sigmoid(o + w_oc c_t) tanh(c_t)

    where s_i, s_f, s_o are 1, or with dropout the last three columns of the input.
    """

    PARAMS = ("params",)
    STATS = GATE_STATS

    def __init__(self, component: LstmNonlinearityComponent) -> None:
        super().__init__(component)
        self.cell_dim: int = component.params.shape[1]
        self.use_dropout: bool = component.use_dropout
        self.gates, self.update = nn.Sigmoid(), nn.Tanh()  # modules, so that training can watch them
        self.output_gate, self.cell = nn.Sigmoid(), nn.Tanh()

    def forward(self, x: Tensor) -> Tensor:
        n = self.cell_dim
        c_prev = x[..., 4 * n : 5 * n]
        gates = self.gates(in_blocks(x[..., : 2 * n], 2) + self.params[:2] * c_prev.unsqueeze(-2))
        i, f = gates[..., 0, :], gates[..., 1, :]
        update = i * self.update(x[..., 2 * n : 3 * n])
        kept = f * c_prev
        if self.use_dropout:
            update = update * x[..., 5 * n : 5 * n + 1]
            kept = kept * x[..., 5 * n + 1 : 5 * n + 2]
        c = kept + update
        m = self.output_gate(torch.addcmul(x[..., 3 * n : 4 * n], self.params[2], c)) * self.cell(c)
        if self.use_dropout:
            m = m * x[..., 5 * n + 2 : 5 * n + 3]
        return torch.cat([c, m], dim=-1)


@module_for(GruNonlinearityComponent)
class GruNonlinearity(ComponentModule[GruNonlinearityComponent]):
    """(z, r, hpart, c_{t-1}, s_{t-1}) -> (h_t, c_t); without projection s is c and is given once.

    h_t = tanh(hpart + W (r * s_{t-1})),  c_t = (1 - z) h_t + z c_{t-1}
    """

    PARAMS = ("w_h",)
    ROLES = ("weight",)
    STATS = GATE_STATS

    def __init__(self, component: GruNonlinearityComponent) -> None:
        super().__init__(component)
        self.cell_dim: int = component.cell_dim
        self.recurrent_dim: int = component.recurrent_dim
        self.product, self.tanh = Product(), nn.Tanh()

    def watched(self) -> nn.Module:
        return self.product

    def forward(self, x: Tensor) -> Tensor:
        n, r = self.cell_dim, self.recurrent_dim
        z = x[..., :n]
        gated = x[..., n : n + r] * x[..., x.size(-1) - r :]
        h = self.tanh(x[..., n + r : 2 * n + r] + self.product(gated, self.w_h))
        c = h + z * (x[..., 2 * n + r : 3 * n + r] - h)
        return torch.cat([h, c], dim=-1)


@module_for(OutputGruNonlinearityComponent)
class OutputGruNonlinearity(ComponentModule[OutputGruNonlinearityComponent]):
    """(z, hpart, c_{t-1}) -> (h_t, c_t): h_t = tanh(hpart + w * c_{t-1}),  c_t = (1 - z) h_t + z c_{t-1}."""

    PARAMS = ("w_h",)
    ROLES = ("scale",)
    STATS = GATE_STATS

    def __init__(self, component: OutputGruNonlinearityComponent) -> None:
        super().__init__(component)
        self.cell_dim: int = component.cell_dim
        self.product, self.tanh = ElementwiseProduct(), nn.Tanh()

    def watched(self) -> nn.Module:
        return self.product

    def forward(self, x: Tensor) -> Tensor:
        n = self.cell_dim
        c_prev = x[..., 2 * n :]
        h = self.tanh(x[..., n : 2 * n] + self.product(c_prev, self.w_h))
        c = h + x[..., :n] * (c_prev - h)
        return torch.cat([h, c], dim=-1)

"""The TDNN of nnet_pytorch: convolutions that see the frames -n, 0 and n, padded with zeros in time."""

from typing import Tuple

import torch.nn.functional as F
from torch import Tensor, nn

from kaldi_bridge.errors import KaldiError
from steps_pytorch.models.nnet_pytorch.configuration import Configuration, share, whole_number
from steps_pytorch.models.nnet_pytorch.network import Network, State, dim_of

# TorchScript wants typing.Tuple in annotations.
# ruff: noqa: UP006, UP035

FIRST_STRIDES, LATER_STRIDE = (0, 1, 1, 1), 3
MOST_LAYERS = {False: 24, True: 16}  # without and with a second branch
EPSILON = 1e-3


class Tdnn(Network):
    """In earlier versions batch norm and dropout are there, but nothing goes through them: nothing was counted then."""

    def __init__(self, configuration: Configuration, state: State) -> None:
        super().__init__(configuration, feature_dim=dim_of(state, "tdnn.0.weight", 1))
        values, chain = configuration.values, configuration.chain
        num_layers = whole_number(values, "tdnn_num_layers")
        if num_layers > MOST_LAYERS[chain]:
            raise KaldiError(f"tdnn_num_layers={num_layers}: a TDNN has at most {MOST_LAYERS[chain]} layers there")
        hidden, prefinal = whole_number(values, "tdnn_hdim"), whole_number(values, "tdnn_prefinal_dim")
        self.dropout = share(values, "tdnn_dropout")
        self.tdnn, self.batchnorm = nn.ModuleList(), nn.ModuleList()
        dim = self.feature_dim
        for i in range(num_layers):
            stride = FIRST_STRIDES[i] if i < len(FIRST_STRIDES) else LATER_STRIDE
            width, dilation = (3, stride) if stride else (1, 1)
            self.tdnn.append(nn.Conv1d(dim, hidden, width, dilation=dilation, padding=stride))
            self.batchnorm.append(nn.BatchNorm1d(hidden, EPSILON, affine=False))
            dim = hidden
        self.prefinal_affine = nn.Conv1d(hidden, prefinal, 1)
        self.batchnorm.append(nn.BatchNorm1d(prefinal, EPSILON, affine=False))
        self.final_affine = nn.Linear(prefinal, self.num_pdfs)
        if chain:
            self.prefinal_xent = nn.Linear(hidden, prefinal)
            self.xent_batchnorm = nn.BatchNorm1d(prefinal, EPSILON, affine=False)
            self.xent_layer = nn.Linear(prefinal, self.num_pdfs)
        mean = state.get("batchnorm.0.running_mean")
        self.normalized = mean is not None and bool(mean.any())

    def forward(self, features: Tensor) -> Tuple[Tensor, Tensor]:
        hidden = features.transpose(1, 2)
        for layer, norm in zip(self.tdnn, self.batchnorm):  # noqa: B905 (one norm more; TorchScript knows no strict=)
            hidden = layer(hidden).relu()
            if self.normalized:
                hidden = F.dropout(norm(hidden), self.dropout, self.training)
        output = self.prefinal_affine(hidden).relu()
        if self.normalized:
            output = self.batchnorm[-1](output)
        return self.final_affine(self.of_chunk(output.transpose(1, 2))), self.of_chunk(hidden.transpose(1, 2))

    def second(self, seen: Tensor) -> Tensor:
        hidden = self.prefinal_xent(seen).relu()
        if self.normalized:
            hidden = self.xent_batchnorm(hidden.transpose(1, 2)).transpose(1, 2)
        return self.xent_layer(hidden)

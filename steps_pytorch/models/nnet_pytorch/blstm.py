"""The BLSTM of nnet_pytorch.

Earlier versions exchange time and sequences after each layer: every second layer runs over the chunks of the minibatch
that stand at the same frame, one after the other. Batch norm and dropout are there, but nothing goes through them.
"""

from typing import Tuple

from torch import Tensor, nn

from kaldi_bridge.errors import KaldiError
from steps_pytorch.models.nnet_pytorch.configuration import MOST_LAYERS, Configuration, whole_number
from steps_pytorch.models.nnet_pytorch.network import Network, State, dim_of

# TorchScript wants typing.Tuple in annotations.
# ruff: noqa: UP006, UP035

EPSILON = 1e-3


class Blstm(Network):
    """Each layer is followed by a rectifier."""

    def __init__(self, configuration: Configuration, state: State) -> None:
        values = configuration.values
        super().__init__(
            configuration, dim_of(state, "blstm.0.weight_ih_l0", 1), mixes_sequences="blstm_idim" not in values
        )
        num_layers = whole_number(values, "blstm_num_layers", most=MOST_LAYERS)
        if self.mixes_sequences and num_layers % 2:
            raise KaldiError(
                f"blstm_num_layers={num_layers}: an odd number of layers leaves time and sequences exchanged"
            )
        hidden, prefinal = whole_number(values, "blstm_hdim"), whole_number(values, "blstm_prefinal_dim")
        self.blstm, self.batchnorm = nn.ModuleList(), nn.ModuleList()
        dim = self.feature_dim
        for _ in range(num_layers):
            self.blstm.append(nn.LSTM(dim, hidden // 2, batch_first=True, bidirectional=True))
            self.batchnorm.append(nn.BatchNorm1d(hidden, EPSILON, affine=False))
            dim = hidden
        self.prefinal_affine = nn.Linear(hidden, prefinal)
        self.batchnorm.append(nn.BatchNorm1d(prefinal, EPSILON, affine=False))
        self.final_affine = nn.Linear(prefinal, self.num_pdfs)
        if configuration.chain:
            self.prefinal_xent = nn.Linear(hidden, prefinal)
            self.xent_batchnorm = nn.BatchNorm1d(prefinal, EPSILON, affine=False)
            self.xent_layer = nn.Linear(prefinal, self.num_pdfs)

    def forward(self, features: Tensor) -> Tuple[Tensor, Tensor]:
        hidden = features
        for layer in self.blstm:
            hidden = layer(hidden)[0].relu()
            if self.mixes_sequences:
                hidden = hidden.transpose(0, 1)
        seen = self.of_chunk(hidden)
        return self.final_affine(self.prefinal_affine(seen).relu()), seen

    def second(self, seen: Tensor) -> Tensor:
        return self.xent_layer(self.prefinal_xent(seen).relu())

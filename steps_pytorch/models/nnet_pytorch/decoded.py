"""Utterances of any length, cut into chunks as nnet_pytorch cuts them for decoding: for TorchScript."""

import torch
from torch import Tensor, nn

from steps_pytorch.models.nnet_pytorch.configuration import Configuration
from steps_pytorch.models.nnet_pytorch.network import Network


class Decoded(nn.Module):
    """[N, T, D] -> [N, n, P], n = (T - left - right context) // factor.

    Chunks of ``width`` frames follow one another, each with its context. Frames are cut off, or the last one repeated,
    so that the last chunk is as wide as the others; its outputs beyond n are left out.

    Attributes:
        conf: the JSON of conf.1.json, for the way back.
    """

    def __init__(self, network: Network, configuration: Configuration) -> None:
        super().__init__()
        self.network = network
        self.conf = configuration.to_json()
        self.factor = network.factor
        self.context = network.left_context + network.right_context
        self.width = width_of(configuration)
        self.minibatch_size = configuration.minibatch_size
        self.mixes_sequences = network.mixes_sequences

    def forward(self, features: Tensor) -> Tensor:
        num_outputs = (features.size(1) - self.context) // self.factor
        chunks = (num_outputs * self.factor + self.width - 1) // self.width
        wanted = chunks * self.width + self.context
        missing = wanted - features.size(1)
        if missing > 0:
            features = torch.cat([features, features[:, -1:].expand(-1, missing, -1)], 1)
        pieces = features[:, :wanted].unfold(1, self.width + self.context, self.width).transpose(2, 3)
        if self.mixes_sequences:
            outputs = torch.stack([self.utterance(pieces[i]) for i in range(pieces.size(0))])
        else:
            outputs = self.network(pieces.flatten(0, 1))[0].unflatten(0, [pieces.size(0), chunks]).flatten(1, 2)
        return outputs[:, :num_outputs]

    def utterance(self, pieces: Tensor) -> Tensor:
        """[chunks, frames, D] -> [outputs, P], where only chunks of one utterance may come together."""
        return torch.cat([self.network(some)[0].flatten(0, 1) for some in pieces.split(self.minibatch_size)])


def width_of(configuration: Configuration) -> int:
    """Of the chunks: a multiple of the frame subsampling factor, so that outputs stay on every factor-th frame."""
    return -(-configuration.chunk_width // configuration.factor) * configuration.factor

"""Examples for recurrent language models as tensors, and through the network."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from kaldi_bridge.rnnlm.examples import RnnlmExample
from nnet3_compat.network.network import Network


@dataclass
class WordTensors:
    """An example's arrays on a device; see RnnlmExample."""

    input_words: Tensor
    output_words: Tensor
    output_weights: Tensor
    sampled_words: Tensor
    sample_inv_probs: Tensor

    @classmethod
    def of(cls, example: RnnlmExample, device: torch.device | None = None) -> WordTensors:
        """Words as int64, numbers as float32."""

        def words(array: np.ndarray) -> Tensor:
            return torch.from_numpy(array).long().to(device)

        def numbers(array: np.ndarray) -> Tensor:
            return torch.from_numpy(array).to(device)

        return cls(
            words(example.input_words),
            words(example.output_words),
            numbers(example.output_weights),
            words(example.sampled_words),
            numbers(example.sample_inv_probs),
        )


def compute_output(network: Network, inputs: Tensor, example: RnnlmExample) -> Tensor:
    """[chunk_length * num_chunks, dim] of embeddings of the same size, in the order of the example's arrays."""
    length, chunks = example.chunk_length, example.num_chunks
    features = inputs.view(length, chunks, -1).transpose(0, 1)
    output = network(features, left=0, num_outputs=length)
    assert isinstance(output, Tensor)
    return output.transpose(0, 1).reshape(length * chunks, -1)


def renumbered(example: RnnlmExample) -> tuple[RnnlmExample, np.ndarray]:
    """An example with samples, its words by their places among those that occur in it, and these, int64, ascending."""
    both = np.concatenate([example.input_words, example.sampled_words])
    active, places = np.unique(both, return_inverse=True)
    inputs, sampled = np.split(places.astype(np.int32).ravel(), [len(example.input_words)])
    made = replace(example, vocab_size=len(active), input_words=inputs, sampled_words=sampled)
    return made, active.astype(np.int64)

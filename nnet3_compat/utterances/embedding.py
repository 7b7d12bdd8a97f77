"""Vectors of whole recordings, by networks that pool statistics over time (x-vectors; nnet3-xvector-compute.cc)."""

from __future__ import annotations

import math

import numpy as np
import torch

from kaldi_bridge import log
from kaldi_bridge.errors import EntryError, KaldiError
from kaldi_bridge.tables import SequentialReader, TableWriter
from kaldi_bridge.tables.holders import FLOAT_MATRIX, FLOAT_VECTOR
from nnet3_compat.machine.device import select_device
from nnet3_compat.network.inference import Inference
from nnet3_compat.network.network import Network
from nnet3_compat.structure.nnet import Nnet
from nnet3_compat.structure.request import Request
from nnet3_compat.utterances.embedding_options import EmbeddingOptions
from nnet3_compat.utterances.pooling_windows import reach, with_windows


class Embedder:
    """A network whose output at time 0 depends on all frames.

    ``input_dim`` of features, ``dim`` of vectors; ``context``: frames at both ends that are not pooled.

    Raises KaldiError for a network that takes i-vectors.
    """

    def __init__(self, nnet: Nnet, device: torch.device | None = None) -> None:
        self._nnet, self._device = nnet, device or torch.device("cpu")
        network = Network.from_nnet(nnet)
        if network.ivector_dim:
            raise KaldiError("the network takes i-vectors: it makes no vectors of features alone")
        self.input_dim, self.dim = network.input_dim, network.output_dim
        self.context = network.left_context + network.right_context
        self._reach = reach(network.graph())
        self._of_window: dict[int, tuple[Network, Inference]] = {}

    def __call__(self, features: np.ndarray) -> np.ndarray:
        """Features [frames, input_dim], frames > 0 -> float32 [dim].

        Raises KaldiError for another dimension, and for fewer frames than the network needs.
        """
        return self.many(features[np.newaxis])[0]

    def many(self, chunks: np.ndarray) -> np.ndarray:
        """The same for chunks of one length, [N, frames, input_dim] -> float32 [N, dim]."""
        _, frames, columns = chunks.shape
        if columns != self.input_dim:
            raise KaldiError(f"Input feature dimension mismatch: got {columns} but network expects {self.input_dim}")
        network, inference = self._for(frames)
        inputs = torch.from_numpy(np.ascontiguousarray(chunks, np.float32)).to(self._device).transpose(0, 1)
        with torch.inference_mode():
            output = inference([inputs], network.layout(Request(1, 0, frames - 1)))[0]
        made: np.ndarray = output[0].cpu().numpy()
        return made

    def _for(self, frames: int) -> tuple[Network, Inference]:
        """The network with windows of the next power of two."""
        window = 1 << (frames + 2 * self._reach - 1).bit_length()
        if window not in self._of_window:
            network = Network.from_nnet(with_windows(self._nnet, window)).eval().to(self._device)
            self._of_window[window] = network, Inference(network.graph(), network.executor())
        return self._of_window[window]


def embed(embedder: Embedder, features: np.ndarray, options: EmbeddingOptions) -> np.ndarray:
    """The vector of an utterance's features [frames, dim], float32 [dim]: the average over chunks by their lengths.

    Raises EntryError where there are no frames, or too few.
    """
    rows, least = len(features), options.min_chunk_size
    if not rows:
        raise EntryError("Zero-length utterance")
    if not options.pad_input and rows < least:
        raise EntryError(f"Minimum chunk size of {least} is greater than the number of rows in utterance")
    size = min(options.chunk_size, rows) if options.chunk_size > 0 else rows
    total, weight = np.zeros(embedder.dim, np.float32), 0
    for number in range(math.ceil(rows / size)):
        chunk = features[number * size : (number + 1) * size]
        length = len(chunk)
        if length < least:
            if not options.pad_input:
                continue
            before = (least - length) // 2
            chunk = np.pad(chunk, ((before, least - length - before), (0, 0)), "edge")
        total += np.float32(length) * embedder(chunk)
        weight += length
    return total / np.float32(weight)


def embed_table(
    nnet: Nnet, options: EmbeddingOptions, use_gpu: str, features_rspecifier: str, vector_wspecifier: str
) -> tuple[int, int, int]:
    """Writes the vectors of a table; returns how many, how many failed, and the frames of those that did not."""
    embedder = Embedder(nnet, select_device(use_gpu))
    done = failed = frames = 0
    with (
        SequentialReader(features_rspecifier, FLOAT_MATRIX) as reader,
        TableWriter(vector_wspecifier, FLOAT_VECTOR) as writer,
    ):
        for key, features in reader:
            try:
                vector = embed(embedder, features, options)
            except EntryError as error:
                log.warning(f"{error}: {key}")
                failed += 1
                continue
            writer.write(key, vector)
            done, frames = done + 1, frames + len(features)
    return done, failed, frames

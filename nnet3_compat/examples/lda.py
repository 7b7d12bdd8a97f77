"""LDA statistics of a network's outputs on training examples, which tell their classes."""

from __future__ import annotations

import numpy as np
import torch

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.examples.chain_examples import ChainExample
from kaldi_bridge.examples.frame_examples import NnetExample, NnetIo
from kaldi_bridge.io.sparse import SparseMatrix, to_dense
from kaldi_bridge.transforms.lda_statistics import LdaStatistics
from nnet3_compat.chain.numerator import numerator
from nnet3_compat.examples.batch import compute_outputs
from nnet3_compat.network.network import Network
from nnet3_compat.structure.nnet import Nnet


class LdaAccumulator:
    """Adds up statistics of the output 'output'.

    Args:
        rand_prune: class weights below it are, at random, zero or it, so that their mean stays.
    """

    def __init__(self, nnet: Nnet, rand_prune: float, seed: int = 0) -> None:
        self._network = Network.from_nnet(nnet)
        self._rand_prune, self._random = rand_prune, np.random.default_rng(seed)
        self.statistics: LdaStatistics | None = None

    def add(self, example: NnetExample) -> None:
        """Raises KaldiError where the example has no 'output'."""
        target = next((part for part in example.io if part.name == "output"), None)
        if target is None:
            raise KaldiError("the example has no output named 'output'")
        features = target.features
        if isinstance(features, SparseMatrix):
            rows, classes, weights = features.row_of_elements, features.indexes.astype(np.int64), features.values
            dim = features.dim
        else:
            dense = to_dense(features)
            rows, classes = np.nonzero(dense)
            weights, dim = dense[rows, classes], dense.shape[1]
        inputs = [part for part in example.io if part is not target]
        self._add(inputs, target.indexes, rows, classes, weights, dim)

    def add_chain(self, example: ChainExample) -> None:
        """Raises KaldiError for merged examples, or flat-start ones without the pdfs of an alignment."""
        if len(example.outputs) != 1 or example.outputs[0].name != "output":
            raise KaldiError("the example must have one output, named 'output'")
        output = example.outputs[0]
        supervision, frames = output.supervision, output.supervision.frames_per_sequence
        if supervision.num_sequences != 1:
            raise KaldiError("these statistics need examples that are not merged")
        if supervision.fst is not None:
            _, posteriors = numerator([supervision], torch.zeros(frames, 1, supervision.label_dim))
            dense = posteriors[:, 0].numpy()
            rows, classes = np.nonzero(dense)
            weights = dense[rows, classes]
        elif len(supervision.alignment_pdfs) == frames:
            rows, classes = np.arange(frames), np.array(supervision.alignment_pdfs, np.int64)
            weights = np.ones(frames, np.float32)
        else:
            raise KaldiError("flat-start examples without the pdfs of an alignment have no classes for LDA")
        self._add(example.network_inputs, output.indexes, rows, classes, weights, supervision.label_dim)

    @torch.no_grad()
    def _add(
        self,
        inputs: list[NnetIo],
        indexes: np.ndarray,
        rows: np.ndarray,
        classes: np.ndarray,
        weights: np.ndarray,
        num_classes: int,
    ) -> None:
        vectors = compute_outputs(self._network, inputs, {"output": indexes})["output"].numpy()
        if self.statistics is None:
            self.statistics = LdaStatistics(num_classes, vectors.shape[1])
        if self._rand_prune > 0.0:
            small = np.abs(weights) < self._rand_prune
            keep = self._random.random(len(weights)) * self._rand_prune < np.abs(weights)
            weights = np.where(small, np.where(keep, np.copysign(self._rand_prune, weights), 0.0), weights)
        used = weights != 0.0
        self.statistics.accumulate(vectors, rows[used], classes[used], weights[used].astype(np.float64))

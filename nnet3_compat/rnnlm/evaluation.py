"""The objective of a recurrent language model on examples, without training (rnnlm/rnnlm-core-compute.cc)."""

from __future__ import annotations

import numpy as np
import torch

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.rnnlm.examples import RnnlmExample
from nnet3_compat.network.network import Network
from nnet3_compat.rnnlm.batch import WordTensors, compute_output
from nnet3_compat.rnnlm.model import Rnnlm
from nnet3_compat.rnnlm.objective import ObjectiveOptions, rnnlm_objective
from nnet3_compat.rnnlm.objective_tracker import ObjectiveTracker


class RnnlmEvaluation:
    """Sums over examples.

    Attributes:
        minibatches: how many examples were added.
    """

    def __init__(self, rnnlm: Rnnlm, device: torch.device | None = None) -> None:
        self._network = Network.from_nnet(rnnlm.nnet).to(device).eval()
        self._embedding = torch.from_numpy(np.ascontiguousarray(rnnlm.embedding, np.float32)).to(device)
        self._device, self._tracker = device, ObjectiveTracker()
        self.minibatches = 0

    def add(self, example: RnnlmExample) -> None:
        """Raises KaldiError where the example is of another vocabulary."""
        if example.vocab_size != len(self._embedding):
            raise KaldiError(f"Vocabulary size mismatch: expected {len(self._embedding)}, got {example.vocab_size}")
        words = WordTensors.of(example, self._device)
        with torch.no_grad():
            output = compute_output(self._network, self._embedding[words.input_words], example)
        self._tracker.add(
            rnnlm_objective(example, words, self._embedding, output, ObjectiveOptions(), derivatives=False)
        )
        self.minibatches += 1

    def report(self) -> float:
        """Logs the averages; returns the objective for each word."""
        return self._tracker.report()

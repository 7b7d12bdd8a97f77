"""Trains a recurrent language model a minibatch at a time (rnnlm/rnnlm-training.cc, rnnlm-core-training.cc).

The network and the embeddings each take a step along the derivatives of the objective. Where words are sampled, only
those that occur in the minibatch have embeddings in it.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from kaldi_bridge import log
from kaldi_bridge.c_random import CRandom
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.rnnlm.examples import RnnlmExample
from nnet3_compat.examples.batch import backpropagate
from nnet3_compat.network.network import Network
from nnet3_compat.rnnlm.batch import WordTensors, compute_output, renumbered
from nnet3_compat.rnnlm.embedding import WordEmbedding
from nnet3_compat.rnnlm.embedding_trainer import EmbeddingOptions, EmbeddingTrainer
from nnet3_compat.rnnlm.objective import ObjectiveOptions, rnnlm_objective
from nnet3_compat.rnnlm.objective_tracker import ObjectiveTracker
from nnet3_compat.structure.nnet import Nnet
from nnet3_compat.training.activations import Chance
from nnet3_compat.training.options import TrainerOptions
from nnet3_compat.training.rules import TrainingRules

LARGEST_SEED = 100000


@dataclass(frozen=True)
class CoreOptions:
    """How minibatches change the network. Attributes are named as the options --rnnlm.* of rnnlm-train."""

    momentum: float = 0.0
    max_param_change: float = 2.0
    l2_regularize_factor: float = 1.0
    backstitch_training_scale: float = 0.0
    backstitch_training_interval: int = 1

    def __post_init__(self) -> None:
        limits = {
            "momentum": 0.0 <= self.momentum < 1.0,
            "max-param-change": self.max_param_change >= 0.0,
            "backstitch-training-scale": self.backstitch_training_scale >= 0.0,
            "backstitch-training-interval": self.backstitch_training_interval >= 1,
        }
        for name, ok in limits.items():
            if not ok:
                raise KaldiError(f"--rnnlm.{name}={getattr(self, name.replace('-', '_'))} is out of range")
        if self.backstitch_training_scale > 0.0 and self.momentum > 0.0:
            raise KaldiError("--rnnlm.backstitch-training-scale cannot be combined with --rnnlm.momentum")

    def rules(self) -> TrainerOptions:
        """For the rules of nnet3, of which the scaling of batch norm's statistics is none here."""
        return TrainerOptions(
            momentum=self.momentum,
            max_param_change=self.max_param_change,
            l2_regularize_factor=self.l2_regularize_factor,
            backstitch_training_scale=self.backstitch_training_scale,
            backstitch_training_interval=self.backstitch_training_interval,
            batchnorm_stats_scale=1.0,
        )


class RnnlmTrainer:
    """Trains on examples.

        trainer = RnnlmTrainer(nnet, embedding, CoreOptions(), ObjectiveOptions(), EmbeddingOptions())
        for example in examples:
            trainer.train(example)
        trainer.report()
        nnet, matrix = trainer.nnet(), embedding.matrix

    Attributes:
        minibatches: how many it has been trained on.
    """

    def __init__(
        self,
        nnet: Nnet,
        embedding: WordEmbedding,
        core: CoreOptions,
        objective: ObjectiveOptions,
        embedding_options: EmbeddingOptions | None,
        device: torch.device | None = None,
        chance: Chance | None = None,
    ) -> None:
        """``embedding_options``: None where the embeddings, which are changed in place, stay as they are.
        ``chance`` (for tests) replaces the decisions of the rules."""
        nnet = nnet.copy()
        for component in nnet.components.values():
            component.zero_stats()
        self._core, self._objective, self._device = core, objective, device
        self.network = Network.from_nnet(nnet)
        self.network.to(device)
        self.network.train()
        self._seed = CRandom(1).rand_int(0, LARGEST_SEED)
        self._random = random.Random(self._seed)
        torch.manual_seed(self._seed)
        chance = chance or (lambda what, probability: self._random.random() < probability)
        self._rules = TrainingRules(self.network, core.rules(), chance, semi_orthogonal=False)
        self._embedding = embedding
        self._embedding_trainer = EmbeddingTrainer(embedding_options, embedding.matrix) if embedding_options else None
        self._tracker = ObjectiveTracker()
        self.minibatches = 0

    def nnet(self) -> Nnet:
        """The network as it is now."""
        return self.network.to_nnet()

    def train(self, example: RnnlmExample) -> None:
        """Changes the model by one minibatch.

        Raises:
            KaldiError: the example is of another vocabulary.
        """
        if example.vocab_size != self._embedding.num_words:
            raise KaldiError(
                f"Vocabulary size mismatch: expected {self._embedding.num_words}, got {example.vocab_size}"
            )
        self.minibatches += 1
        active = None
        if example.has_samples:
            example, active = renumbered(example)
        vectors = self._embedding.of(active)
        # With backstitch the second step adds to what the first has left, as in Kaldi: where embeddings are of words,
        # that is the direction in which they went.
        derivative = torch.zeros_like(vectors)
        for step in self._steps():
            if step:  # both with the same dropout masks
                torch.manual_seed(self._seed + self.minibatches)
                self._random.seed(self._seed + self.minibatches)
            self._train_network(example, vectors, derivative, step)
            if self._embedding_trainer is not None:
                self._train_embedding(self._embedding_trainer, derivative, active, step)

    def _steps(self) -> tuple[int, ...]:
        """Of the next minibatch: 0 the only one, 1 backwards, 2 forwards."""
        scale, interval = self._core.backstitch_training_scale, self._core.backstitch_training_interval
        return (1, 2) if scale > 0.0 and self.minibatches % interval == self._seed % interval else (0,)

    def _train_network(self, example: RnnlmExample, vectors: Tensor, derivative: Tensor, step: int) -> None:
        """``vectors``: embeddings [words, dim]. Adds to ``derivative``, of the same size."""
        self._rules.before_minibatch()
        words = WordTensors.of(example, self._device)
        inputs = vectors[words.input_words].requires_grad_(self._embedding_trainer is not None)
        output = compute_output(self.network, inputs, example)
        found = rnnlm_objective(
            example, words, vectors, output.detach(), self._objective, embedding_derivative=inputs.requires_grad
        )
        assert found.output_derivative is not None
        backpropagate([output], [found.output_derivative])
        if found.embedding_derivative is not None and inputs.grad is not None:
            derivative.add_(found.embedding_derivative).index_add_(0, words.input_words, inputs.grad)
        if step != 2:
            self._tracker.add(found)
        self._rules.update(example.num_chunks, step)

    def _train_embedding(
        self, trainer: EmbeddingTrainer, derivative: Tensor, active: np.ndarray | None, step: int
    ) -> None:
        with torch.no_grad():
            if self._embedding.has_features:
                trainer.train(self._embedding.of_features(derivative, active), None, step)
            else:
                rows = None if active is None else torch.from_numpy(active).to(derivative.device)
                trainer.train(derivative, rows, step)

    def report(self) -> None:
        """Logs what rnnlm-train says at its end."""
        self._rules.max_change.report_totals()
        self._tracker.report()
        if self._embedding_trainer is not None:
            self._embedding_trainer.report()
        log.info(f"Trained on {self.minibatches} minibatches.")

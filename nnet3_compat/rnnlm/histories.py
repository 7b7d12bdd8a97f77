"""What a recurrent language model has computed for sequences of words, each one word longer than another.

Kaldi computes the network for one word after the other, and copies its whole state (rnnlm/rnnlm-compute-state.cc).
Here any number of sequences are made longer by one word at once, and only what later words read is kept.
"""

from __future__ import annotations

import copy

import numpy as np
import torch
from torch import Tensor

from kaldi_bridge.errors import KaldiError
from nnet3_compat.folded.looped import LoopedPlan
from nnet3_compat.network.looped import Carried, LoopedNetwork
from nnet3_compat.rnnlm.bank import Bank
from nnet3_compat.rnnlm.model import Rnnlm

MOST_AT_ONCE = 512
"""Sequences that are computed together."""
MOST_PROBABILITIES = 1 << 24
"""Of all words, that are in memory at once."""
NOTHING = -1
"""In the place of a history's number: no word, as before ``<s>``."""


class Histories:
    """Histories are numbered in the order in which they are made, from 0.

    Args:
        normalize: whether log-probabilities are those of a distribution, which takes the products with all words'
            embeddings; else they nearly are, as the model is trained.
    Raises:
        KaldiError: the network is no language model's.
    """

    def __init__(self, rnnlm: Rnnlm, normalize: bool = False) -> None:
        plan = LoopedPlan.of(rnnlm.nnet, frames_per_chunk=1, factor=1, extra_left=0)
        if plan.request.size != 1:
            raise KaldiError(f"the network of a language model cannot be computed every {plan.request.size} words only")
        self._network = LoopedNetwork(plan)
        self._embedding = torch.from_numpy(np.ascontiguousarray(rnnlm.embedding, np.float32))
        self._normalize = normalize
        self.clear()

    def empty(self) -> Histories:
        """Without histories, of the same model."""
        made = copy.copy(self)
        made.clear()
        return made

    def clear(self) -> None:
        """Forgets all histories."""
        self._banks: list[Bank] = []  # per kind of segment
        self._kinds: list[int] = []  # per history: whose bank its state is in, and where there
        self._columns: list[int] = []

    def __len__(self) -> int:
        return len(self._kinds)

    def extend(self, parents: np.ndarray, words: np.ndarray) -> Tensor:
        """Makes histories of others and one more word each.

        Args:
            parents: int [n], numbers of histories made by earlier calls, or NOTHING.
            words: int [n].
        Returns:
            [n, dim], what is predicted: the embedding of the word to come next.
        Raises:
            KaldiError: a word has no embedding.
        """
        parents, words = np.asarray(parents, np.int64), np.asarray(words, np.int64)
        outside = (words <= 0) | (words >= len(self._embedding))
        if outside.any():
            raise KaldiError(
                f"word {words[outside][0]}: the words of the language model are 1 to {len(self._embedding) - 1}"
            )
        before = np.array([NOTHING if p == NOTHING else self._kinds[p] for p in parents.tolist()])
        kinds, columns = np.zeros_like(parents), np.zeros_like(parents)
        predicted = self._embedding.new_empty(len(parents), self._network.plan.output_dim)
        for kind in np.unique(before).tolist():
            of_kind = np.flatnonzero(before == kind)
            for begin in range(0, len(of_kind), MOST_AT_ONCE):
                which = of_kind[begin : begin + MOST_AT_ONCE]
                kinds[which] = made = self._network.plan.kind(kind + 1)
                columns[which], predicted[torch.from_numpy(which)] = self._compute(parents[which], words[which], made)
        self._kinds += kinds.tolist()
        self._columns += columns.tolist()
        return predicted

    def _compute(self, parents: np.ndarray, words: np.ndarray, kind: int) -> tuple[np.ndarray, Tensor]:
        """Columns in the bank of a kind of segment, and what is predicted, of histories that all come to be of it."""
        carried: Carried = {}
        if parents[0] != NOTHING:
            bank = self._banks[self._kinds[parents[0]]]
            carried = bank.take(torch.tensor([self._columns[p] for p in parents.tolist()]))
        inputs = self._embedding[torch.from_numpy(words)].unsqueeze(1)
        outputs, carried = self._network.compute(inputs, None, kind, carried)
        while len(self._banks) <= kind:
            self._banks.append(Bank(dim=1))
        bank = self._banks[kind]
        columns = bank.size + np.arange(len(words))
        bank.append(carried, len(words))
        return columns, outputs[:, 0]

    def embeddings(self, words: np.ndarray) -> Tensor:
        """[words, dim], of these, int [words]."""
        return self._embedding[torch.from_numpy(np.asarray(words, np.int64))]

    def log_probs(self, predicted: Tensor, embeddings: Tensor) -> Tensor:
        """[n, words]: of words with these embeddings, after each of the histories. ``predicted``: from extend."""
        made = predicted @ embeddings.T
        return made - self.log_sums(predicted).unsqueeze(1) if self._normalize else made

    def log_prob_of_each(self, predicted: Tensor, words: np.ndarray) -> Tensor:
        """[n]: of one word, int [n], after each of the histories."""
        made = (predicted * self.embeddings(words)).sum(1)
        return made - self.log_sums(predicted) if self._normalize else made

    def log_sums(self, predicted: Tensor) -> Tensor:
        """[n]: the logarithms of the sums, over all words, of what are nearly probabilities."""
        every = self._embedding[1:]
        rows = max(1, MOST_PROBABILITIES // max(1, len(every)))
        return torch.cat([(part @ every.T).logsumexp(1) for part in predicted.split(rows)])

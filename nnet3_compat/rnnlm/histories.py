"""What a recurrent language model has computed for sequences of words, each one word longer than another.

Kaldi computes the network for one word after the other, and copies its whole state (rnnlm/rnnlm-compute-state.cc).
Here any number of sequences are made longer by one word at once, and only what later words read is kept.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence

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
BEGINNING = NOTHING, NOTHING


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
        self._banks: list[Bank] = []  # per kind of segment
        self._places: list[tuple[int, int]] = []  # per history: the kind of its last segment, and there

    def empty(self) -> Histories:
        """Without histories, of the same model."""
        made = copy.copy(self)
        made._banks, made._places = [], []
        return made

    def beside(self) -> Histories:
        """The same, with states in the same place: for ``extend_together``; one thread at a time may use them."""
        made = copy.copy(self)
        made._places = []
        return made

    def clear(self) -> None:
        """Forgets all histories."""
        for kind, bank in enumerate(self._banks):
            bank.release([place for of_kind, place in self._places if of_kind == kind])
        self._places = []

    def __len__(self) -> int:
        return len(self._places)

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
        return self.extend_together([(self, parents, words)])[0]

    @torch.inference_mode()
    def extend_together(self, requests: Sequence[tuple[Histories, np.ndarray, np.ndarray]]) -> list[Tensor]:
        """The same for several that are kept beside these."""
        words = np.concatenate([np.asarray(words, np.int64) for _, _, words in requests])
        outside = (words <= 0) | (words >= len(self._embedding))
        if outside.any():
            raise KaldiError(
                f"word {words[outside][0]}: the words of the language model are 1 to {len(self._embedding) - 1}"
            )
        places = [histories._places[p] if p >= 0 else BEGINNING for histories, ps, _ in requests for p in ps.tolist()]
        kinds = np.array([kind for kind, _ in places])
        made = [BEGINNING] * len(places)
        predicted = self._embedding.new_empty(len(places), self._network.plan.output_dim)
        for kind in np.unique(kinds).tolist():
            of_kind = np.flatnonzero(kinds == kind)
            for begin in range(0, len(of_kind), MOST_AT_ONCE):
                which = of_kind[begin : begin + MOST_AT_ONCE]
                carried = {} if kind == NOTHING else self._banks[kind].take([places[k][1] for k in which.tolist()])
                new, predicted[torch.from_numpy(which)] = self._compute(words[which], kind, carried)
                for k, place in zip(which.tolist(), new, strict=True):
                    made[k] = place
        found, end = [], 0
        for histories, parents, _ in requests:
            begin, end = end, end + len(parents)
            histories._places += made[begin:end]
            found.append(predicted[begin:end])
        return found

    def _compute(self, words: np.ndarray, before: int, carried: Carried) -> tuple[list[tuple[int, int]], Tensor]:
        """Places, and what is predicted, of histories whose last word follows a segment of one kind."""
        kind = self._network.plan.kind(before + 1)
        inputs = self._embedding[torch.from_numpy(words)].unsqueeze(1)
        outputs, carried = self._network.compute(inputs, None, kind, carried)
        while len(self._banks) <= kind:
            self._banks.append(Bank(dim=1))
        return [(kind, place) for place in self._banks[kind].put(carried, len(words))], outputs[:, 0]

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

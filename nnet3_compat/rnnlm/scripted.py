"""Language models in TorchScript: any scripted module over the numbers of words, as lattices have them.

A module with a state has

    initial_state() -> List[Tensor]                               # exported: before the first word, [1, ...] each
    forward(words: Tensor, state: List[Tensor]) -> Tuple[Tensor, List[Tensor]]

of words, int64 [N], and the states before them, [N, ...] each, to log-probabilities of the word to come next, [N, V],
and the states after them. A module without one is given whole histories instead, the words from <s> on:

    forward(histories: Tensor, lengths: Tensor) -> Tensor         # int64 [N, L], 0 after the end; int64 [N] -> [N, V]

Sequences of a batch must not depend on each other. V is the same in all calls; words from V on are unknown.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.lattices.language_models import Extend
from nnet3_compat.export.tensor_files import reason_of
from nnet3_compat.rnnlm.bank import Bank

MOST_AT_ONCE = 256
"""Sequences that are computed together."""
MOST_PROBABILITIES = 1 << 25
"""That are computed together, of all words."""
UNKNOWN = -1
"""In the place of a word's number: there is no word for those that the model does not know."""


class ScriptedCosts:
    """Costs of words after histories, see kaldi_bridge.lattices.language_models.HistoryCosts.

    Args:
        module: as on top of this file.
        begin, end: the numbers of ``<s>`` and ``</s>``.
        unknown: the word that those from V on are taken for, or UNKNOWN: they are an error.
    Raises:
        KaldiError: the module does not give what it should, or these words are none of its words.
    """

    def __init__(self, module: Any, device: torch.device, begin: int, end: int, unknown: int = UNKNOWN) -> None:
        self.start = [begin]
        self._module, self._device, self._end, self._unknown = module, device, end, unknown
        self._vocabulary = _histories_of(module, device).extend(np.array([-1]), np.array([begin])).shape[1]
        for word, option in ((begin, "--bos-symbol"), (end, "--eos-symbol"), (unknown, "--unk-symbol")):
            if word != UNKNOWN and not 0 < word < self._vocabulary:
                raise KaldiError(f"{option}={word}: the words of the model are 1 to {self._vocabulary - 1}")

    def of_words(self, words: np.ndarray) -> Extend:
        if self._unknown == UNKNOWN and len(words) and words[-1] >= self._vocabulary:
            raise KaldiError(
                f"word {words[-1]} is none of the language model's, which are 1 to {self._vocabulary - 1}: "
                "--unk-symbol says what to take it for"
            )
        wanted = torch.from_numpy(self._known(np.append(words, self._end))).to(self._device)
        histories = _histories_of(self._module, self._device)
        most = max(1, min(MOST_AT_ONCE, MOST_PROBABILITIES // self._vocabulary))

        def extend(parents: np.ndarray, words: np.ndarray) -> np.ndarray:
            read, costs = self._known(np.where(parents < 0, self.start, words)), []
            for first in range(0, len(read), most):
                log_probs = histories.extend(parents[first : first + most], read[first : first + most])
                if log_probs.shape[1] != self._vocabulary:
                    raise KaldiError(
                        f"the language model has {log_probs.shape[1]} words now and had {self._vocabulary} before"
                    )
                costs.append(-log_probs.index_select(1, wanted).float().cpu().numpy())
            if any(np.isnan(part).any() for part in costs):
                raise KaldiError("the language model gives log-probabilities that are no numbers")
            return np.concatenate(costs)

        return extend

    def _known(self, words: np.ndarray) -> np.ndarray:
        return np.where(words < self._vocabulary, words, self._unknown).astype(np.int64)


def _histories_of(module: Any, device: torch.device) -> _Histories:
    return _WithStates(module, device) if hasattr(module, "initial_state") else _Whole(module, device)


class _Histories:
    """Numbered in the order in which they are made."""

    def __init__(self, module: Any, device: torch.device) -> None:
        self.module, self.device = module, device

    def extend(self, parents: np.ndarray, words: np.ndarray) -> Tensor:
        """Log-probabilities [n, V] after new histories."""
        with torch.inference_mode():
            try:
                made = self.compute(parents, words)
            except (RuntimeError, TypeError, ValueError) as error:
                raise KaldiError(
                    f"the language model cannot be computed for {len(words)} histories ({reason_of(error)})"
                ) from error
        if not isinstance(made, Tensor) or made.dim() != 2 or len(made) != len(words) or made.shape[1] == 0:
            shape = list(made.shape) if isinstance(made, Tensor) else type(made).__name__
            raise KaldiError(f"the language model gives {shape} for {len(words)} words, instead of [{len(words)}, V]")
        return made

    def compute(self, parents: np.ndarray, words: np.ndarray) -> Any:
        """What the module gives for them."""
        raise NotImplementedError


class _WithStates(_Histories):
    """The states after them are kept."""

    def __init__(self, module: Any, device: torch.device) -> None:
        super().__init__(module, device)
        self._states, self._places = Bank(dim=0), list[int]()

    def compute(self, parents: np.ndarray, words: np.ndarray) -> Any:
        if parents[0] < 0:
            state = [x.to(self.device) for x in self.module.initial_state()]
        else:
            taken = self._states.take([self._places[parent] for parent in parents.tolist()])
            state = [taken[i] for i in range(len(taken))]
        log_probs, state = self.module(torch.from_numpy(words).to(self.device), state)
        self._places += self._states.put(dict(enumerate(state)), len(words))
        return log_probs


class _Whole(_Histories):
    """Their words are kept."""

    def __init__(self, module: Any, device: torch.device) -> None:
        super().__init__(module, device)
        self._words: list[list[int]] = []

    def compute(self, parents: np.ndarray, words: np.ndarray) -> Any:
        new = [
            [*(self._words[parent] if parent >= 0 else ()), word]
            for parent, word in zip(parents.tolist(), words.tolist(), strict=True)
        ]
        self._words += new
        lengths = torch.tensor([len(history) for history in new])
        padded = torch.zeros(len(new), int(lengths.max()), dtype=torch.int64)
        for row, history in zip(padded, new, strict=True):
            row[: len(history)] = torch.tensor(history)
        return self.module(padded.to(self.device), lengths.to(self.device))

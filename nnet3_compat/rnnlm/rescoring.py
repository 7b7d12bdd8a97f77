"""Recurrent language models for the rescoring of lattices (rnnlm/rnnlm-lattice-rescoring.cc)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from kaldi_bridge.command import option, without_effect
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.lattices.language_models import Extend
from nnet3_compat.rnnlm.histories import NOTHING, Histories
from nnet3_compat.rnnlm.model import Rnnlm
from nnet3_compat.rnnlm.together import Together
from nnet3_compat.utterances.computation_options import OptimizationOptions


@dataclass
class RnnlmOptions(OptimizationOptions):
    """Kaldi's RnnlmComputeStateComputationOptions."""

    normalize_probs: bool = option(
        False, "If true, probabilities of words sum to one (else they nearly do, as the model is trained)"
    )
    bos_symbol: int = option(-1, "Number of the word <s>")
    eos_symbol: int = option(-1, "Number of the word </s>")
    brk_symbol: int = without_effect(-1, "The word <brk> is in no sentence; for scripts that give all special words")

    def check_symbols(self) -> None:
        """Raises KaldiError unless <s> and </s> are given."""
        if self.bos_symbol == -1 or self.eos_symbol == -1:
            raise KaldiError("You must set --bos-symbol and --eos-symbol options")


class RnnlmCosts:
    """Costs of words after histories, see kaldi_bridge.lattices.language_models.HistoryCosts.

    Args:
        begin, end: the numbers of ``<s>`` and ``</s>``.
        together: whether all use is within searches of the attribute ``together``.
    Raises:
        KaldiError: these are no words of the model.
    """

    def __init__(self, rnnlm: Rnnlm, begin: int, end: int, normalize: bool, together: bool = False) -> None:
        rnnlm.check_word(begin, "--bos-symbol")
        rnnlm.check_word(end, "--eos-symbol")
        self.start = [begin]
        self._end, self._rnnlm = end, rnnlm
        self._histories = Histories(rnnlm, normalize)
        self.together = Together(self._histories) if together else None

    def of_words(self, words: np.ndarray) -> Extend:
        if len(words) and words[-1] >= self._rnnlm.num_words:
            raise KaldiError(
                f"word {words[-1]} is none of the language model's, which are 1 to {self._rnnlm.num_words - 1}"
            )
        together = self.together
        histories = self._histories.empty() if together is None else together.empty()
        wanted = histories.embeddings(np.append(words, self._end))

        def extend(parents: np.ndarray, words: np.ndarray) -> np.ndarray:
            words = np.where(parents == NOTHING, self.start, words)
            if together is None:
                predicted = histories.extend(parents, words)
            else:
                predicted = together.extend(histories, parents, words)
            with torch.inference_mode():
                return -histories.log_probs(predicted, wanted).numpy()

        return extend

"""Language models to sample words from, of sentences (rnnlm/sampling-lm-estimate.h): csrc/sampling_lm_estimator.h."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from kaldi_bridge import log
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.extension import _csrc


@dataclass(frozen=True)
class EstimatorOptions:
    """Attributes are named as the options of rnnlm-get-sampling-lm."""

    vocab_size: int
    ngram_order: int = 3
    discounting_constant: float = 1.0
    unigram_factor: float = 100.0
    backoff_factor: float = 2.0
    bos_factor: float = 5.0
    unigram_power: float = 0.8
    bos_symbol: int = 1
    eos_symbol: int = 2

    def check(self) -> None:
        """Raises KaldiError for options that do not fit together."""
        limits = {
            f"--vocab-size={self.vocab_size} must be more than 2": self.vocab_size > 2,
            "--bos-symbol and --eos-symbol must be different, and from 1 to below --vocab-size": (
                min(self.bos_symbol, self.eos_symbol) > 0
                and max(self.bos_symbol, self.eos_symbol) < self.vocab_size
                and self.bos_symbol != self.eos_symbol
            ),
            f"--ngram-order={self.ngram_order} must be at least 1": self.ngram_order >= 1,
            "--discounting-constant must be more than 0, and not more than 1": 0.0 < self.discounting_constant <= 1.0,
            "--backoff-factor must be more than 0, and less than --unigram-factor": (
                0.0 < self.backoff_factor < self.unigram_factor
            ),
            "--bos-factor must be more than 0, and not more than --unigram-factor": (
                0.0 < self.bos_factor <= self.unigram_factor
            ),
            "--unigram-power must be more than 0.2, and not more than 1": 0.2 < self.unigram_power <= 1.0,
        }
        for message, ok in limits.items():
            if not ok:
                raise KaldiError(message)


def estimate_sampling_lm(
    options: EstimatorOptions, sentences: Iterable[tuple[float, list[int]]], for_arpa: bool = False
) -> Any:
    """An estimator, whose ``model()`` and ``arpa(names)`` are the model and its text in ARPA form.

    Args:
        sentences: with their weights, words without <s> and the last </s>.
        for_arpa: with the n-grams that a text in ARPA form must have.

    Raises:
        KaldiError: options that do not fit together, words that are not below the size of the vocabulary, no sentences.
    """
    options.check()
    given = _csrc.SamplingLmOptions()
    for field in dataclasses.fields(options):
        setattr(given, field.name, getattr(options, field.name))
    estimator = _csrc.SamplingLmEstimator(given)
    try:
        for weight, words in sentences:
            estimator.add(weight, words)
        estimator.estimate(for_arpa, log.info)
    except ValueError as error:
        raise KaldiError(str(error)) from None
    return estimator

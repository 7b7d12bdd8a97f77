"""Words for the examples of an RNNLM to be trained on by importance sampling (rnnlm/rnnlm-example.h).

What is drawn, and with which probabilities: csrc/example_sampling.h and csrc/word_sampler.h.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from dataclasses import replace
from typing import Any

from kaldi_bridge import log
from kaldi_bridge.c_random import CRandom
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.extension import _csrc
from kaldi_bridge.rnnlm.examples import RnnlmExample
from kaldi_bridge.rnnlm.minibatches import ChunkOptions
from kaldi_bridge.tables.threads import pool_of


class ExampleSampler:
    """Adds sampled words to examples.

    Args:
        model: of sampling_lm.py.
        special_symbol_prob: of <s> and <brk>, which are never predicted, to be sampled.
        uniform_prob_mass: shared out among all other words, beside their unigrams.

    Raises:
        KaldiError: a model from which nothing can be sampled.
    """

    def __init__(
        self, model: Any, options: ChunkOptions, special_symbol_prob: float = 1.0e-5, uniform_prob_mass: float = 0.05
    ) -> None:
        options.check()
        if not 0.0 <= special_symbol_prob <= 1.0:
            raise KaldiError(f"--special-symbol-prob={special_symbol_prob:g} is not from 0 to 1")
        if not 0.0 <= uniform_prob_mass < 1.0:
            raise KaldiError(f"--uniform-prob-mass={uniform_prob_mass:g} is not from 0 to below 1")
        if len(model.unigrams) > options.vocab_size:
            raise KaldiError(f"Option --vocab-size={options.vocab_size} is inconsistent with the language model.")
        self._group_size = options.sample_group_size
        given = _csrc.ExampleSamplingOptions()
        given.num_chunks, given.chunk_length = options.num_chunks_per_minibatch, options.chunk_length
        given.sample_group_size, given.num_samples = options.sample_group_size, options.num_samples
        given.bos_symbol, given.brk_symbol = options.bos_symbol, options.brk_symbol
        given.special_symbol_prob, given.uniform_prob_mass = special_symbol_prob, uniform_prob_mass
        try:
            self._sampler = _csrc.ExampleSampler(model, given)
        except ValueError as error:
            raise KaldiError(str(error)) from None
        if options.num_samples > self._sampler.num_words:
            log.warning(
                f"The number of samples (--num-samples={options.num_samples}) exceeds the number of words with nonzero "
                f"probability {self._sampler.num_words} -> not doing sampling.  You could skip creating the ARPA file, "
                "and not provide it, which might save some bother."
            )

    def sample(self, example: RnnlmExample, random: CRandom) -> RnnlmExample:
        """The example with samples, or as it is where there are not more words than samples. Raises KaldiError."""
        if not self._sampler.is_sampling:
            return example
        try:
            outputs, words, inverse, without_histories, random.values = self._sampler.sample(
                example.input_words, example.output_words, example.output_weights, random.values
            )
        except ValueError as error:
            raise KaldiError(str(error)) from None
        for _ in range(without_histories):
            log.warning("No histories seen (we don't expect to see this very often)")
        return replace(
            example,
            sample_group_size=self._group_size,
            output_words=outputs,
            sampled_words=words,
            sample_inv_probs=inverse,
        )

    def sample_all(
        self, examples: Iterable[RnnlmExample], random: CRandom, num_threads: int, num_waiting: int
    ) -> Iterator[RnnlmExample]:
        """All examples with samples, in order.

        Args:
            random: where there are no threads, all is drawn from it, as Kaldi's program does then. With threads the
                draws in Kaldi depend on how they run; here each example has its own, which begins with a draw from it.
            num_threads: that sample at the same time.
            num_waiting: that many examples at most are not given out yet.
        """
        if num_threads == 0:
            for example in examples:
                yield self.sample(example, random)
            return
        waiting: deque[Future[RnnlmExample]] = deque()
        with pool_of(num_threads) as pool:
            for example in examples:
                waiting.append(pool.submit(self.sample, example, CRandom(random.rand())))
                while waiting and (len(waiting) >= num_waiting or waiting[0].done()):
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()

"""Minibatches of word sequences on which RNNLMs are trained (rnnlm/rnnlm-example.h)."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.examples.buffer import ExampleHolder
from kaldi_bridge.io.basic_io import (
    expect_token,
    read_int32,
    read_int_vector,
    write_int32,
    write_int_vector,
    write_token,
)
from kaldi_bridge.io.input_stream import InputStream
from kaldi_bridge.io.matrix_io import read_vector, write_vector
from kaldi_bridge.io.output_stream import OutputStream


def _no_words() -> np.ndarray:
    return np.zeros(0, np.int32)


def _no_numbers() -> np.ndarray:
    return np.zeros(0, np.float32)


@dataclass
class RnnlmExample:
    """Chunks side by side, all of one length. Arrays are of all chunks at the first time, then at the second, etc.

    Attributes:
        vocab_size: words have numbers below this.
        sample_group_size: for so many successive times the same words are sampled.
        num_samples: how many words are sampled for each group of times.
        input_words: int32 [chunk_length * num_chunks], what the network sees.
        output_words: int32, of the same size, what it should predict; where there are samples, the word's place among
            those of its group.
        output_weights: float32, of the same size: how much each prediction counts, 0 for padding and for words that
            are only there as context.
        sampled_words: int32 [groups * num_samples], or empty: in each group the words are different and ascending.
        sample_inv_probs: float32, of the same size: 1 / the probability with which each was sampled.
    """

    vocab_size: int
    num_chunks: int
    chunk_length: int
    sample_group_size: int = 1
    num_samples: int = 0
    input_words: np.ndarray = field(default_factory=_no_words)
    output_words: np.ndarray = field(default_factory=_no_words)
    output_weights: np.ndarray = field(default_factory=_no_numbers)
    sampled_words: np.ndarray = field(default_factory=_no_words)
    sample_inv_probs: np.ndarray = field(default_factory=_no_numbers)

    @property
    def has_samples(self) -> bool:
        """Whether the objective is summed over sampled words only."""
        return self.sampled_words.size > 0

    @classmethod
    def read(cls, stream: InputStream, binary: bool) -> RnnlmExample:
        """Raises KaldiError when the stream holds no such example, or its parts do not fit together."""

        def number(token: str) -> int:
            expect_token(stream, binary, token)
            return read_int32(stream, binary)

        def words(token: str) -> np.ndarray:
            expect_token(stream, binary, token)
            return np.array(read_int_vector(stream, binary), np.int32)

        def reals(token: str) -> np.ndarray:
            expect_token(stream, binary, token)
            return read_vector(stream, binary)

        expect_token(stream, binary, "<RnnlmExample>")
        example = cls(
            number("<VocabSize>"),
            number("<NumChunks>"),
            number("<ChunkLength>"),
            number("<SampleGroupSize>"),
            number("<NumSamples>"),
            words("<InputWords>"),
            words("<OutputWords>"),
            reals("<OutputWeights>"),
            words("<SampledWords>"),
            reals("<SampleInvProbs>"),
        )
        expect_token(stream, binary, "</RnnlmExample>")
        example._check(stream)
        return example

    def write(self, stream: OutputStream, binary: bool) -> None:
        """As Kaldi writes it."""
        write_token(stream, binary, "<RnnlmExample>")
        for token, number in (
            ("<VocabSize>", self.vocab_size),
            ("<NumChunks>", self.num_chunks),
            ("<ChunkLength>", self.chunk_length),
            ("<SampleGroupSize>", self.sample_group_size),
            ("<NumSamples>", self.num_samples),
        ):
            write_token(stream, binary, token)
            write_int32(stream, binary, number)
        write_token(stream, binary, "<InputWords>")
        write_int_vector(stream, binary, self.input_words)
        write_token(stream, binary, "<OutputWords>")
        write_int_vector(stream, binary, self.output_words)
        write_token(stream, binary, "<OutputWeights>")
        write_vector(stream, binary, self.output_weights)
        write_token(stream, binary, "<SampledWords>")
        write_int_vector(stream, binary, self.sampled_words)
        write_token(stream, binary, "<SampleInvProbs>")
        write_vector(stream, binary, self.sample_inv_probs)
        write_token(stream, binary, "</RnnlmExample>")

    def _check(self, stream: InputStream) -> None:
        """Raises KaldiError unless sizes and numbers of words are as the attributes above say."""
        size = self.num_chunks * self.chunk_length
        wrong = ""
        if min(self.num_chunks, self.chunk_length, self.sample_group_size) < 1 or self.vocab_size < 2:
            wrong = "its sizes are no sizes of a minibatch"
        elif not len(self.input_words) == len(self.output_words) == len(self.output_weights) == size:
            wrong = f"it should have {size} words and weights"
        elif not _are_from_0_to(self.input_words, self.vocab_size):
            wrong = f"it has input words that are not from 0 to {self.vocab_size - 1}"
        elif not self.has_samples and not _are_from_0_to(self.output_words - 1, self.vocab_size - 1):
            wrong = f"it has output words that are not from 1 to {self.vocab_size - 1}"
        elif self.has_samples:
            wrong = self._wrong_samples()
        if wrong:
            raise KaldiError(f"{stream.where()}: an RNNLM example of {self.chunk_length} x {self.num_chunks}: {wrong}")

    def _wrong_samples(self) -> str:
        if self.chunk_length % self.sample_group_size:
            return f"groups of {self.sample_group_size} times"
        sampled = self.chunk_length // self.sample_group_size * self.num_samples
        if not len(self.sampled_words) == len(self.sample_inv_probs) == sampled:
            return f"it should have {sampled} samples"
        if not _are_from_0_to(self.sampled_words, self.vocab_size):
            return f"it has samples that are not from 0 to {self.vocab_size - 1}"
        if not _are_from_0_to(self.output_words, self.num_samples):
            return "it has output words that are none of its samples"
        return ""


def _are_from_0_to(numbers: np.ndarray, end: int) -> bool:
    return not numbers.size or bool(numbers.min() >= 0 and numbers.max() < end)


RNNLM_EXAMPLE = ExampleHolder[RnnlmExample](
    RnnlmExample.read, lambda stream, binary, value: value.write(stream, binary)
)
"""For tables."""

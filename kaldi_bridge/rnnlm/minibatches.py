"""Sentences as minibatches of chunks (rnnlm/rnnlm-example.cc, RnnlmExampleCreator).

A sentence, with </s> after it, that is longer than a chunk is cut into pieces, of which all but the first have some
words of context before them. Pieces wait in a buffer, from which a minibatch takes some by chance: each goes into the
chunk that has the least room of those with enough, so that a chunk may have several.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.c_random import CRandom
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.rnnlm.examples import RnnlmExample

_MOST_REJECTIONS = 5  # pieces in a row for which there is no room: then the minibatch is as full as it gets


@dataclass(frozen=True)
class ChunkOptions:
    """What minibatches look like. Attributes are named as the options of rnnlm-get-egs."""

    vocab_size: int = -1
    num_chunks_per_minibatch: int = 128
    chunk_length: int = 32
    min_split_context: int = 3
    sample_group_size: int = 2
    num_samples: int = 512
    chunk_buffer_size: int = 20000
    bos_symbol: int = 1
    eos_symbol: int = 2
    brk_symbol: int = 3

    def check(self) -> None:
        """Raises KaldiError for options that do not fit together."""
        symbols = (self.bos_symbol, self.eos_symbol, self.brk_symbol)
        limits = {
            "The --vocab-size option must be provided.": self.vocab_size > 0,
            "--bos-symbol, --eos-symbol and --brk-symbol must be specified, >0, and all different.": (
                min(symbols) > 0 and len(set(symbols)) == 3
            ),
            "--num-chunks-per-minibatch must be at least 1": self.num_chunks_per_minibatch >= 1,
            "--min-split-context is negative": self.min_split_context >= 0,
            "--chunk-length must be more than 4 times --min-split-context": (
                self.chunk_length > 4 * self.min_split_context
            ),
            "--sample-group-size must divide --chunk-length": (
                self.sample_group_size >= 1 and self.chunk_length % self.sample_group_size == 0
            ),
            "--num-samples must be 0, or at least --num-chunks-per-minibatch times --sample-group-size": (
                self.num_samples == 0 or self.num_samples >= self.num_chunks_per_minibatch * self.sample_group_size
            ),
        }
        for message, ok in limits.items():
            if not ok:
                raise KaldiError(message)


@dataclass
class Piece:
    """Words ``begin`` to ``end`` - 1 of a sentence, which are predicted, after context from ``context_begin`` on."""

    words: np.ndarray
    weight: float
    begin: int
    end: int
    context_begin: int

    @property
    def length(self) -> int:
        """With context."""
        return self.end - self.context_begin


class ChunkFilling:
    """One minibatch in the making: which pieces are in which chunk."""

    def __init__(self, options: ChunkOptions) -> None:
        self.chunks: list[list[Piece]] = [[] for _ in range(options.num_chunks_per_minibatch)]
        self._length = options.chunk_length
        self._empty = list(range(options.num_chunks_per_minibatch))
        self._begun: list[int] = []  # chunks that are neither empty nor full
        self._rooms: list[int] = []  # in each of these
        self._counts = [0] * (self._length + 1)  # of chunks with each room

    def add(self, piece: Piece) -> bool:
        """Whether there was room."""
        length = piece.length
        room = next((room for room in range(length, self._length) if self._counts[room]), self._length)
        if room < self._length:
            place = self._rooms.index(room)
            chunk = self._begun[place]
            self._counts[room] -= 1
            for numbers in (self._begun, self._rooms):
                numbers[place] = numbers[-1]
                numbers.pop()
        elif self._empty:
            chunk = self._empty.pop()
        else:
            return False
        if room > length:
            self._begun.append(chunk)
            self._rooms.append(room - length)
            self._counts[room - length] += 1
        self.chunks[chunk].append(piece)
        return True


class MinibatchMaker:
    """Makes examples without samples.

        for example in MinibatchMaker(options, random).examples(sentences):

    Attributes:
        minibatches: how many were made.
    """

    def __init__(self, options: ChunkOptions, random: CRandom) -> None:
        """``random``: what is drawn from. Raises KaldiError for options that do not fit together."""
        options.check()
        self._options, self._random = options, random
        self._waiting: list[Piece] = []
        self._sentences = self._pieces = self._words = 0
        self.minibatches = 0

    def examples(self, sentences: Iterable[tuple[float, list[int]]]) -> Iterator[RnnlmExample]:
        """Of sentences with their weights. Raises KaldiError for words that cannot stand in one."""
        for weight, words in sentences:
            self._check(weight, words)
            self._waiting += self._cut(weight, words)
            self._sentences += 1
            while len(self._waiting) > self._options.chunk_buffer_size:
                yield self._minibatch()
        while self._waiting:
            yield self._minibatch()

    def report(self) -> None:
        """Logs how much went into how many minibatches."""
        log.info(
            f"Combined {self._sentences}/{self._pieces} sequences/chunks into {self.minibatches} minibatches "
            f"({len(self._waiting)} chunks left over)"
        )
        words = self._words / self._pieces if self._pieces else float("nan")
        pieces = self._pieces / self.minibatches if self.minibatches else float("nan")
        log.info(f"Overall there were {words:g} words per chunk; {pieces:g} chunks per minibatch.")

    def _check(self, weight: float, words: list[int]) -> None:
        options = self._options
        if not weight > 0.0:
            raise KaldiError(f"sentence {self._sentences + 1} has the weight {weight:g}, which is not more than 0")
        special = (options.bos_symbol, options.brk_symbol)
        if words and not (min(words) > 0 and max(words) < options.vocab_size and not any(s in words for s in special)):
            word = next(word for word in words if not 0 < word < options.vocab_size or word in special)
            raise KaldiError(
                f"sentence {self._sentences + 1} has the word {word}: words are from 1 to {options.vocab_size - 1} "
                f"(--vocab-size), without <s> ({options.bos_symbol}) and <brk> ({options.brk_symbol})"
            )
        if words and words[-1] == options.eos_symbol:
            log.warning(
                "Raw word sequence contains </s> at the end.  Is this a bug in your data preparation?  "
                "We'll add another one."
            )

    def _cut(self, weight: float, words: list[int]) -> list[Piece]:
        options = self._options
        sequence = np.array([*words, options.eos_symbol], np.int32)
        pieces, begin = [], 0
        for length in self._lengths(len(sequence)):
            context = max(0, begin - options.min_split_context)
            pieces.append(Piece(sequence, weight, begin, begin + length, context))
            begin += length
        return pieces

    def _lengths(self, total: int) -> list[int]:
        """Of the pieces of a sentence: all as long as possible but one, which is drawn."""
        options = self._options
        if total <= options.chunk_length:
            return [total]
        full = options.chunk_length - options.min_split_context
        count, rest = divmod(total - options.min_split_context, full)
        lengths = [full] * count
        if rest:
            lengths[self._random.rand_int(0, count - 1)] = rest
            lengths.append(full)
        lengths[0] += options.min_split_context
        return lengths

    def _minibatch(self) -> RnnlmExample:
        filling, rejections = ChunkFilling(self._options), 0
        while self._waiting and rejections < _MOST_REJECTIONS:
            place = self._random.rand_int(0, len(self._waiting) - 1)
            piece = self._waiting[place]
            if not filling.add(piece):
                rejections += 1
                continue
            rejections = 0
            self._waiting[place] = self._waiting[-1]
            self._waiting.pop()
            self._pieces += 1
            self._words += piece.length
        self.minibatches += 1
        return self._example(filling)

    def _example(self, filling: ChunkFilling) -> RnnlmExample:
        """What is left of a chunk after its pieces is <s> as input and </s> as output, without weight."""
        options = self._options
        shape = (options.num_chunks_per_minibatch, options.chunk_length)
        inputs = np.full(shape, options.bos_symbol, np.int32)
        outputs = np.full(shape, options.eos_symbol, np.int32)
        weights = np.zeros(shape, np.float32)
        for chunk, pieces in enumerate(filling.chunks):
            _widen_contexts(pieces, options.chunk_length)
            at = 0
            for piece in pieces:
                words, end = piece.words[piece.context_begin : piece.end], at + piece.length
                outputs[chunk, at:end] = words
                inputs[chunk, at] = options.brk_symbol if piece.context_begin else options.bos_symbol
                inputs[chunk, at + 1 : end] = words[:-1]
                weights[chunk, at + piece.begin - piece.context_begin : end] = piece.weight
                at = end
        return RnnlmExample(
            options.vocab_size,
            *shape,
            num_samples=options.num_samples,
            input_words=inputs.T.ravel(),
            output_words=outputs.T.ravel(),
            output_weights=weights.T.ravel(),
        )


def _widen_contexts(pieces: list[Piece], chunk_length: int) -> None:
    """Room that is left goes to the contexts of pieces that have more words before them, one word each in turn."""
    room = chunk_length - sum(piece.length for piece in pieces)
    while room > 0:
        before = room
        for piece in pieces:
            if piece.context_begin > 0 and room > 0:
                piece.context_begin -= 1
                room -= 1
        if room == before:
            return

"""Log-probabilities of the words of sentences (rnnlmbin/rnnlm-sentence-probs.cc)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.text import is_number, shown, words
from kaldi_bridge.io.text_files import read_lines
from nnet3_compat.rnnlm.histories import NOTHING, Histories


def read_sentences(path: str, num_words: int) -> Iterator[tuple[str, list[int]]]:
    """The name and the words of each line. Raises KaldiError for what is no number from 1 to ``num_words`` - 1."""
    for name, rest in read_lines(path):
        entries = words(rest)
        for entry in entries:
            if not is_number(entry) or not 0 < int(entry) < num_words:
                raise KaldiError(
                    f"{path}: {name}: {shown(entry)} is none of the language model's words, which are 1 to "
                    f"{num_words - 1}. Input file should contain only integers."
                )
        yield name, [int(entry) for entry in entries]


def sentence_log_probs(
    histories: Histories, sentences: Sequence[Sequence[int]], bos: int, eos: int
) -> list[np.ndarray]:
    """float32 [words + 1] for each sentence: of its words, each after ``bos`` and those before it, and of ``eos``.

    Sentences are computed side by side; ``histories`` forgets what it had.

    Raises:
        KaldiError: a word has no embedding.
    """
    histories.clear()
    found = [np.empty(len(sentence) + 1, np.float32) for sentence in sentences]
    going_on = sorted(range(len(sentences)), key=lambda i: -len(sentences[i]))  # the longest first
    last = np.full(len(going_on), NOTHING)
    inputs = np.full(len(going_on), bos)
    for position in range(max(map(len, found), default=0)):
        going_on = [i for i in going_on if len(found[i]) > position]
        count, begin = len(going_on), len(histories)
        outputs = np.array([[*sentences[i], eos][position] for i in going_on])
        with torch.inference_mode():
            predicted = histories.extend(last[:count], inputs[:count])
            values = histories.log_prob_of_each(predicted, outputs)
        for i, value in zip(going_on, values.tolist(), strict=True):
            found[i][position] = value
        last, inputs = begin + np.arange(count), outputs
    return found

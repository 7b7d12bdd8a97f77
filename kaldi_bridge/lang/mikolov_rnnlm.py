"""Recurrent language models in the files of Tomas Mikolov's toolkit, version 10 (lm/mikolov-rnnlm-lib.cc).

A file has lines ``name: value``, the vocabulary, and the parameters as text or single precision. What is computed of
them: csrc/mikolov_rnnlm.h.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import numpy as np

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.extension import _csrc
from kaldi_bridge.io.basic_io import read_raw
from kaldi_bridge.io.input_stream import InputStream
from kaldi_bridge.io.streams import open_input
from kaldi_bridge.io.text import decode, fields, is_number, shown
from kaldi_bridge.lang.symbol_table import SymbolTable

VERSION, BINARY = 10, 1
LONGEST_WORD = 99  # bytes that the toolkit keeps
MOST_ORDER = 20  # of direct connections
FIXED_PENALTY = -16.118
_SETTINGS = (  # in the order of the file; what is None has no effect on probabilities
    "version", "file format", None, None, None, None, None, None, None, None, "input layer", "hidden layer",
    "compression layer", "output layer", "direct connections", "direct order", None, None, "vocabulary", "class size",
    "old classes", None, None, None, None,
)  # fmt: skip


@dataclass
class MikolovRnnlm:
    """A network; matrices [inputs, outputs] of float64.

    Attributes:
        words: the vocabulary.
        class_of: the class of each word, ascending.
        input: [words, hidden]; recurrent: [hidden, hidden]; compressing: [hidden, compression], which may be 0.
        output: [hidden or compression, words + classes].
        direct: weights of n-grams, found by hashes; of up to ``direct_order - 1`` words before.
    """

    words: list[str]
    class_of: np.ndarray
    num_classes: int
    input: np.ndarray
    recurrent: np.ndarray
    compressing: np.ndarray
    output: np.ndarray
    direct: np.ndarray
    direct_order: int


@dataclass
class LabelledRnnlm:
    """A network with the labels of lattices: ``numbers`` and ``penalties`` of csrc/mikolov_rnnlm.h."""

    rnnlm: MikolovRnnlm
    numbers: list[int]
    penalties: list[float]

    @property
    def native(self) -> Any:
        """For C++."""
        net = self.rnnlm
        bounds = np.searchsorted(net.class_of, np.arange(net.num_classes + 1))
        matrices = (net.input, net.recurrent, net.compressing, net.output, net.direct)
        labels = (self.numbers, self.penalties)
        return _csrc.MikolovNetwork(net.class_of.tolist(), bounds.tolist(), *matrices, net.direct_order, *labels)


def with_labels(
    rnnlm: MikolovRnnlm, symbols: SymbolTable, end: str, unknown: str, penalties: Mapping[str, float]
) -> LabelledRnnlm:
    """With a symbol table's labels (lm/kaldi-rnnlm.cc).

    Args:
        end: the word that ends sentences.
        unknown: what words that are not in the vocabulary are taken for; where it is not there either, they cost the
            same.
        penalties: what is then added to the log-probability, of single words.
    Raises:
        KaldiError: labels are not the numbers from 0 on.
    """
    places = {word: number for number, word in reversed(list(enumerate(rnnlm.words)))}
    numbers, added = [], []
    words = []
    for label in range(len(symbols.symbols)):
        if label not in symbols.symbols:
            raise KaldiError(
                f"Could not find word for integer {label} in the word symbol table: its numbers must be 0, 1, 2 ..."
            )
        words.append(symbols.symbols[label])
    for word in [*words, end]:
        known = word in places and word != unknown
        numbers.append(places.get(word, places.get(unknown, -1)))
        added.append(0.0 if known else penalties.get(word, FIXED_PENALTY))
    return LabelledRnnlm(rnnlm, numbers, added)


def unknown_penalties(probabilities: Mapping[str, float]) -> dict[str, float]:
    """The logarithms of words' probabilities."""
    return {word: math.log(p) if p > 0 else -math.inf for word, p in probabilities.items()}


def read_mikolov_rnnlm(rxfilename: str) -> MikolovRnnlm:
    """Raises KaldiError for a file that is none, is damaged, or is of another version."""
    with open_input(rxfilename) as stream:
        settings = _settings(stream)
        hidden, compression = settings["hidden layer"], settings["compression layer"]
        classes = settings["class size"]
        words, counts = _vocabulary(stream, settings["vocabulary"])
        matrices = _Matrices(stream, settings["file format"] == BINARY)
        matrices.read(1, hidden)  # the hidden layer as it was last
        first = matrices.read(hidden, len(words) + hidden)
        compressing = matrices.read(compression, hidden) if compression else np.zeros((0, hidden))
        output = matrices.read(len(words) + classes, compression or hidden)
        direct = matrices.read(1, settings["direct connections"], last=True)[0]
    first, compressing, output = (np.ascontiguousarray(matrix.T) for matrix in (first, compressing, output))
    return MikolovRnnlm(
        words=words,
        class_of=_classes(counts, classes, bool(settings["old classes"])),
        num_classes=classes,
        input=first[: len(words)],
        recurrent=first[len(words) :],
        compressing=compressing,
        output=output,
        direct=direct,
        direct_order=settings["direct order"],
    )


def _settings(stream: InputStream) -> dict[str, int]:
    settings: dict[str, int] = {}
    for name in _SETTINGS:
        stream.read_through(b":")
        word = decode(stream.word())
        if name is None:
            continue
        if not is_number(word):
            raise KaldiError(f"{stream.where()}: {shown(word)} is not the {name} of a recurrent language model")
        settings[name] = int(word)
        if settings["version"] != VERSION:
            raise KaldiError(f"{stream.name}: Unknown version {word} of a recurrent language model, not {VERSION}")
    _check(stream.name, settings)
    return settings


def _check(name: str, settings: dict[str, int]) -> None:
    words, hidden, classes = settings["vocabulary"], settings["hidden layer"], settings["class size"]
    if not (words and hidden and classes) or settings["file format"] > BINARY:
        raise KaldiError(f"{name}: there are no words, classes or hidden layer, or the file format is unknown")
    if (settings["input layer"], settings["output layer"]) != (words + hidden, words + classes):
        raise KaldiError(f"{name}: the sizes of its layers do not fit its numbers of words and classes")
    direct = settings["direct connections"]
    if settings["direct order"] > MOST_ORDER or 0 < direct < 2 * classes:
        raise KaldiError(f"{name}: {direct} direct connections of order {settings['direct order']} make no sense")


def _vocabulary(stream: InputStream, size: int) -> tuple[list[str], list[int]]:
    """Words and how often they were seen."""
    stream.read_through(b":")
    words, counts = [], []
    for _ in range(size):
        number, count, word, index = (stream.word() for _ in range(4))
        if not all(is_number(decode(entry)) for entry in (number, count, index)):
            raise KaldiError(f"{stream.where()}: expected a number, a count, a word and its class")
        words.append(decode(word[:LONGEST_WORD]))
        counts.append(int(count))
    return words, counts


class _Matrices:
    """One after the other, in text each after a colon."""

    def __init__(self, stream: InputStream, binary: bool) -> None:
        self._stream, self._binary = stream, binary
        if binary:
            stream.skip(1)  # the end of the vocabulary's last line
        else:
            stream.read_through(b":")

    def read(self, rows: int, columns: int, last: bool = False) -> np.ndarray:
        """float64 [rows, columns]."""
        if self._binary:
            matrix = read_raw(self._stream, (rows, columns), "<f4").astype(np.float64)
        else:
            text = self._stream.read_all() if last else self._stream.read_through(b":")
            entries = fields(text)[: rows * columns]
            try:
                matrix = np.array(entries, "S").astype(np.float64)
            except ValueError as error:
                raise KaldiError(f"{self._stream.where()}: {error}: expected {rows} x {columns} weights") from None
            if matrix.size != rows * columns:
                raise KaldiError(f"{self._stream.where()}: {matrix.size} weights, instead of {rows} x {columns}")
            matrix = matrix.reshape(rows, columns)
        if not np.isfinite(matrix).all():
            raise KaldiError(f"{self._stream.where()}: there are weights that are no finite numbers")
        return matrix


def _classes(counts: list[int], num_classes: int, old: bool) -> np.ndarray:
    """The class of each word, by its count: those that the file gives are not used."""
    total = sum(counts)
    shares = [count / total if total else math.nan for count in counts]
    if not old:
        shares = [math.sqrt(share) for share in shares]
    whole = 1.0 if old else list(accumulate(shares))[-1]  # not sum(), which may be more precise
    classes, cumulated, now = [], 0.0, 0
    for share in shares:
        cumulated = min(cumulated + share / whole, 1.0)
        classes.append(now)
        if cumulated > (now + 1) / num_classes and now < num_classes - 1:
            now += 1
    return np.array(classes, np.int32)

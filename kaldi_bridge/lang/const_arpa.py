"""Kaldi's ConstArpaLm (lm/const-arpa-lm.h): language models used as they lie in the file (csrc/const_arpa.h)."""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.extension import _csrc
from kaldi_bridge.io.filenames import classify_input
from kaldi_bridge.io.streams import open_input
from kaldi_bridge.io.text import encode
from kaldi_bridge.lang.arpa import arpa_blocks

if TYPE_CHECKING:
    from kaldi_bridge.io.streams import OutputStream

FARTHEST = (1 << 30) - 1
"""The greatest distance of an n-gram from one that it goes on from that stands in the n-gram itself."""
NO_WORD = -1


@dataclass
class ConstArpa:
    """The parts of such a model.

    Attributes:
        words: uint8, the bytes of an array of 32-bit words.
        unigrams, overflow: int64, places in there plus 1, of single words by their number, and of n-grams far away.
        begin, end, unknown: the numbers of <s>, </s> and the word for all that are not in the model, or NO_WORD.
    """

    words: np.ndarray
    unigrams: np.ndarray
    overflow: np.ndarray
    order: int
    begin: int
    end: int
    unknown: int

    @property
    def native(self) -> Any:
        """For C++."""
        symbols = self.begin, self.end, self.unknown
        return _csrc.ConstArpa(self.words, self.unigrams, self.overflow, self.order, *symbols)

    def check(self, name: str) -> None:
        """Raises KaldiError for symbols that are no words of the model, and for places outside."""
        count = len(self.unigrams)
        if self.order <= 0 or not (0 < self.begin < count and 0 < self.end < count):
            raise KaldiError(f"{name}: <s>, </s> or the order of the language model make no sense")
        if self.unknown != NO_WORD and not 0 < self.unknown < count:
            raise KaldiError(f"{name}: the unknown word {self.unknown} is none of the language model's {count} words")
        for places in (self.unigrams, self.overflow):
            if len(places) and not 0 <= places.min() <= places.max() <= len(self.words) // 4:
                raise KaldiError(f"{name}: the language model is damaged: places of n-grams are outside")


def compile_const_arpa(
    arpa_rxfilename: str, begin: int, end: int, unknown: int = NO_WORD, max_warnings: int = 30, farthest: int = FARTHEST
) -> ConstArpa:
    """A model in ARPA form, whose words are numbers; the arguments are those of arpa-to-const-arpa.

    ``farthest`` is for tests alone. Raises KaldiError for what is no such file, and for symbols that are no words.
    """
    if begin <= 0 or end <= 0 or begin == end:
        raise KaldiError(
            "BOS and EOS symbols are required, must not be epsilons, and differ from each other. "
            f"Given: BOS={begin} EOS={end}"
        )
    options = _csrc.ArpaOptions()
    options.max_warnings = max_warnings % (1 << 32)
    with open_input(arpa_rxfilename) as stream:
        try:
            words, unigrams, overflow, order = _csrc.build_const_arpa(
                options, farthest, arpa_blocks(stream), log.info, log.warning
            )
        except ValueError as error:
            raise KaldiError(f"{stream.name}: {error}") from None
    return ConstArpa(words.view(np.uint8), unigrams, overflow, order, begin, end, unknown)


def write_const_arpa(stream: OutputStream, model: ConstArpa) -> None:
    """Binary: there is no text form."""
    numbers = model.begin, model.end, model.unknown, model.order
    info = b"".join(struct.pack("<bi", 4, number) for number in numbers)
    stream.write(b"\0B<ConstArpaLm> <LmInfo> " + info + b"</LmInfo> <LmStates> ")
    stream.write(struct.pack("<bq", 8, len(model.words) // 4))
    stream.write(model.words.data)
    for name, places in (("LmUnigram", model.unigrams), ("LmOverflow", model.overflow)):
        before = "</LmStates>" if name == "LmUnigram" else "</LmUnigram>"
        stream.write(encode(f"{before} <{name}> ") + struct.pack("<bi", 4, len(places)))
        stream.write(places.astype("<i8", copy=False).tobytes())
    stream.write(b"</LmOverflow> </ConstArpaLm> ")


def read_const_arpa(rxfilename: str) -> ConstArpa:
    """The model, memory-mapped where the name is that of a file. Raises KaldiError."""
    if classify_input(rxfilename) == "file" and os.path.isfile(rxfilename) and os.path.getsize(rxfilename):
        try:
            data: np.ndarray = np.memmap(rxfilename, np.uint8, "r")
        except OSError as error:
            raise KaldiError(f"cannot read {rxfilename}: {error.strerror}") from None
    else:
        with open_input(rxfilename) as stream:
            data = np.frombuffer(stream.read_all(), np.uint8)
    reader = _Reader(data, rxfilename)
    model = reader.model()
    model.check(rxfilename)
    return model


class _Reader:
    def __init__(self, data: np.ndarray, name: str) -> None:
        self.data, self.name, self.place = data, name, 0

    def model(self) -> ConstArpa:
        if bytes(self.data[:2]) != b"\0B":
            raise KaldiError(f"{self.name}: not a binary file: language models in ConstArpaLm form have no text form")
        self.place = 2
        if len(self.data) > 2 and self.data[2] == 4:
            return self.old_model()
        self.expect("<ConstArpaLm> <LmInfo> ")
        begin, end, unknown, order = (self.number() for _ in range(4))
        self.expect("</LmInfo> <LmStates> ")
        words = self.take(4 * self.number(8))
        self.expect("</LmStates> <LmUnigram> ")
        unigrams = self.take(8 * self.number()).view("<i8").copy()
        self.expect("</LmUnigram> <LmOverflow> ")
        overflow = self.take(8 * self.number()).view("<i8").copy()
        self.expect("</LmOverflow> </ConstArpaLm> ")
        return ConstArpa(words, unigrams, overflow, order, begin, end, unknown)

    def old_model(self) -> ConstArpa:
        """Of before 2014: without tokens, and each number has its size before it."""
        begin, end, unknown, order = (self.number() for _ in range(4))
        words = self.numbers("<i4").view(np.uint8)
        return ConstArpa(words, self.numbers("<i8"), self.numbers("<i8"), order, begin, end, unknown)

    def numbers(self, kind: str) -> np.ndarray:
        entries = np.dtype([("size", "i1"), ("value", kind)])
        table = self.take(self.number() * entries.itemsize).view(entries)
        if (table["size"] != entries["value"].itemsize).any():
            raise self.damaged()
        return np.ascontiguousarray(table["value"])

    def take(self, size: int) -> np.ndarray:
        if not 0 <= size <= len(self.data) - self.place:
            raise self.damaged()
        self.place += size
        return self.data[self.place - size : self.place]

    def number(self, size: int = 4) -> int:
        taken = bytes(self.take(1 + size))
        if taken[0] != size:
            raise self.damaged()
        return int.from_bytes(taken[1:], "little", signed=True)

    def expect(self, tokens: str) -> None:
        if bytes(self.take(len(tokens))) != encode(tokens):
            raise self.damaged()

    def damaged(self) -> KaldiError:
        return KaldiError(f"{self.name}: damaged or truncated: no language model in ConstArpaLm form")

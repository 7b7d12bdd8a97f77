"""Language models from which words are sampled while an RNNLM is trained (rnnlm/sampling-lm.h), on file.

How they are estimated, and what they hold: csrc/sampling_lm_estimator.h and csrc/sampling_lm.h.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.extension import _csrc
from kaldi_bridge.io.basic_io import (
    expect_token,
    read_float,
    read_header,
    read_int32,
    read_int_vector,
    write_float,
    write_header,
    write_int32,
    write_int_vector,
    write_token,
)
from kaldi_bridge.io.input_stream import InputStream
from kaldi_bridge.io.matrix_io import read_vector, write_vector
from kaldi_bridge.io.output_stream import OutputStream, Pieces
from kaldi_bridge.io.streams import open_input, open_output
from kaldi_bridge.lang.arpa import arpa_blocks

_WORD = np.dtype([("size", "i1"), ("word", "<i4"), ("size2", "i1"), ("probability", "<f4")])
_HIGHEST_ORDER = 99
_MAX_ARPA_WARNINGS = 30


def write_sampling_lm(wxfilename: str, binary: bool, model: Any) -> None:
    """Writes a model in Kaldi's own form. Raises KaldiError."""
    with open_output(wxfilename) as stream:
        write_header(stream, binary)
        pieces = Pieces(stream.name)
        write_token(pieces, binary, "<SamplingLm>")
        write_token(pieces, binary, "<Order>")
        write_int32(pieces, binary, model.order)
        write_token(pieces, binary, "<VocabSize>")
        write_int32(pieces, binary, len(model.unigrams))
        write_vector(pieces, binary, model.unigrams)
        for order in range(2, model.order + 1):
            _write_states(pieces, binary, order, model.states(order - 1))
        write_token(pieces, binary, "</SamplingLm>")
        stream.write(pieces.data())


def _write_states(stream: OutputStream, binary: bool, order: int, states: list[Any]) -> None:
    write_token(stream, binary, "<StatesOfOrder>")
    write_int32(stream, binary, order)
    write_token(stream, binary, "<NumStates>")
    write_int32(stream, binary, len(states))
    for history, backoff, words, probabilities in states:
        write_int_vector(stream, binary, history)
        write_float(stream, binary, backoff)
        write_int32(stream, binary, len(words))
        if binary:
            items = np.empty(len(words), _WORD)
            items["size"] = items["size2"] = 4
            items["word"], items["probability"] = words, probabilities
            stream.write(items)
        else:
            for word, probability in zip(words.tolist(), probabilities, strict=True):
                write_int32(stream, binary, word)
                write_float(stream, binary, probability)
            stream.write(b"\n")


def read_sampling_lm(rxfilename: str) -> Any:
    """A model in Kaldi's own form. Raises KaldiError."""
    with open_input(rxfilename) as stream:
        binary = read_header(stream)
        expect_token(stream, binary, "<SamplingLm>")
        expect_token(stream, binary, "<Order>")
        order = read_int32(stream, binary)
        if not 1 <= order <= _HIGHEST_ORDER:
            raise KaldiError(f"{stream.where()}: a language model of order {order}")
        expect_token(stream, binary, "<VocabSize>")
        vocab_size = read_int32(stream, binary)
        unigrams = read_vector(stream, binary)
        if len(unigrams) != vocab_size:
            raise KaldiError(f"{stream.where()}: {len(unigrams)} unigrams, but <VocabSize> says {vocab_size}")
        model = _csrc.SamplingLm(order, unigrams)
        if binary:
            try:
                model.read_states(stream.read_all())
            except ValueError as error:
                raise KaldiError(f"{stream.name}: {error}") from None
            return model
        for one in range(2, order + 1):
            _read_text_states(stream, one, vocab_size, model)
        expect_token(stream, binary, "</SamplingLm>")
        return model


def _read_text_states(stream: InputStream, order: int, vocab_size: int, model: Any) -> None:
    expect_token(stream, False, "<StatesOfOrder>")
    if (found := read_int32(stream, False)) != order:
        raise KaldiError(f"{stream.where()}: histories of order {found} where those of {order} should be")
    expect_token(stream, False, "<NumStates>")
    for _ in range(read_int32(stream, False)):
        history = read_int_vector(stream, False)
        if len(history) != order - 1:
            raise KaldiError(f"{stream.where()}: a history of {len(history)} words in a model of order {order}")
        backoff, count = read_float(stream, False), read_int32(stream, False)
        pairs = [(read_int32(stream, False), read_float(stream, False)) for _ in range(count)]
        words = np.array([word for word, _ in pairs], np.int32)
        if len(words) and not (words.min() >= 0 and words.max() < vocab_size):
            raise KaldiError(f"{stream.where()}: a history has words that are not below {vocab_size}")
        model.add_state(history, backoff, words, np.array([p for _, p in pairs], np.float32))


def read_arpa_sampling_lm(symbol_table: str, arpa_rxfilename: str) -> Any:
    """A model in ARPA form, whose words have the numbers of a symbol table; should be one "with addition".

    Raises KaldiError.
    """
    with open_input(symbol_table) as stream:
        try:
            words = _csrc.SymbolTable.read_text(arpa_blocks(stream))
        except ValueError as error:
            raise KaldiError(f"Error reading symbol table {symbol_table}: {error}") from None
    options = _csrc.ArpaOptions()
    options.need_words, options.max_warnings = True, _MAX_ARPA_WARNINGS
    with open_input(arpa_rxfilename) as stream:
        try:
            return _csrc.SamplingLm.parse_arpa(options, words, arpa_blocks(stream), log.info, log.warning)
        except ValueError as error:
            raise KaldiError(f"{stream.name}: {error}") from None

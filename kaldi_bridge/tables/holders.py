"""What tables hold (util/kaldi-holder.h): for each type of object, how it stands in an archive.

A holder's ``read(stream)`` takes the object with its binary marker; ``write(stream, binary, value)`` puts both.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, Protocol, TypeVar

import numpy as np

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io import basic_io, compressed, htk, matrix_io, ranges, sparse, sphinx, wave
from kaldi_bridge.io.basic_io import read_header, write_header
from kaldi_bridge.io.input_stream import InputStream
from kaldi_bridge.io.output_stream import OutputStream
from kaldi_bridge.io.specifiers import is_token
from kaldi_bridge.io.text import decode, encode, words
from kaldi_bridge.tables import float_pairs, integer_lists, number_lists, posterior

T = TypeVar("T")


class Holder(Protocol[T]):
    """What a table needs to know about its objects."""

    def read(self, stream: InputStream) -> T:
        """Reads one object; raises KaldiError."""

    def write(self, stream: OutputStream, binary: bool, value: T) -> None:
        """Writes one object; raises KaldiError."""

    def extract_range(self, value: T, text: str) -> T:
        """The part of an object that a script file asks for; raises KaldiError."""


class ObjectHolder(Generic[T]):
    """Objects with a reader ``(stream, binary) -> value`` and a writer ``(stream, binary, value)``."""

    def __init__(
        self,
        read: Callable[[InputStream, bool], T],
        write: Callable[[OutputStream, bool, T], None],
        extract_range: Callable[[T, str], T] | None = None,
        form: str = "",
        made: Callable[[Any], T] | None = None,
    ) -> None:
        """``form``: what finds such objects fast (csrc/object_form.h); ``made``: makes them of what that finds."""
        self._read = read
        self._write = write
        self._range = extract_range
        self.form, self.made = form, made

    def read(self, stream: InputStream) -> T:
        """Reads one object with its binary marker."""
        return self._read(stream, read_header(stream))

    def write(self, stream: OutputStream, binary: bool, value: T) -> None:
        """Writes one object with its binary marker."""
        write_header(stream, binary)
        self._write(stream, binary, value)

    def extract_range(self, value: T, text: str) -> T:
        """The part of an object; only matrices and vectors have parts."""
        if self._range is None:
            raise KaldiError(f"Range [{text}]: objects of this type have no ranges")
        return self._range(value, text)


class BasicHolder(ObjectHolder[T]):
    """One number or truth value; in text form alone on its line."""

    def read(self, stream: InputStream) -> T:
        """Reads one value with its binary marker."""
        binary = read_header(stream)
        if not binary:
            _skip_blanks(stream)
            if stream.peek() == b"\n":
                raise KaldiError(f"{stream.where()}: the line is empty")
        value = self._read(stream, binary)
        if not binary:
            _end_of_line(stream)
        return value

    def write(self, stream: OutputStream, binary: bool, value: T) -> None:
        """Writes one value with its binary marker."""
        super().write(stream, binary, value)
        if not binary:
            stream.write(b"\n")


class _Rangeless:
    """What has no parts."""

    def extract_range(self, value: Any, text: str) -> Any:
        """Raises KaldiError."""
        raise KaldiError(f"Range [{text}]: objects of this type have no ranges")


class TokenHolder(_Rangeless):
    """A word; without a binary form."""

    def read(self, stream: InputStream) -> str:
        """Reads the word and the end of its line."""
        word = stream.word()
        if not word:
            raise KaldiError(f"{stream.where()}: input ends where a word should be")
        _end_of_line(stream)
        return decode(word)

    def write(self, stream: OutputStream, binary: bool, value: str) -> None:
        """Writes the word and a newline."""
        stream.write(_token(stream, value) + b"\n")


class TokenVectorHolder(_Rangeless):
    """Words on a line; without a binary form."""

    def read(self, stream: InputStream) -> list[str]:
        """Reads the rest of the line."""
        return words(integer_lists.read_line(stream))

    def write(self, stream: OutputStream, binary: bool, value: list[str]) -> None:
        """Writes the words, each with a space after it, and a newline."""
        stream.write(b"".join(_token(stream, word) + b" " for word in value) + b"\n")


class WaveInfoHolder(_Rangeless):
    """The header of a recording; only to be read, from script files."""

    def read(self, stream: InputStream) -> wave.WaveInfo:
        """Reads the header."""
        return wave.read_wave_info(stream)

    def write(self, stream: OutputStream, binary: bool, value: wave.WaveInfo) -> None:
        raise KaldiError(f"{stream.name}: the header of a recording cannot be written alone")


class WaveHolder(_Rangeless):
    """A recording; always in RIFF form."""

    def read(self, stream: InputStream) -> wave.Wave:
        """Reads a whole wave file."""
        return wave.read_wave(stream)

    def write(self, stream: OutputStream, binary: bool, value: wave.Wave) -> None:
        """Writes a whole wave file."""
        wave.write_wave(stream, value)


class HtkHolder(_Rangeless):
    """Features with HTK's header, of one kind where they are written; without a text form."""

    def __init__(self, kind: int = htk.USER) -> None:
        self._kind = kind

    def read(self, stream: InputStream) -> np.ndarray:
        """Reads header and features."""
        return htk.read_htk(stream)

    def write(self, stream: OutputStream, binary: bool, value: np.ndarray) -> None:
        """Writes header and features; raises KaldiError for text."""
        if not binary:
            raise KaldiError(f"{stream.name}: Non-binary HTK-format write not supported.")
        htk.write_htk(stream, value, self._kind)


class SphinxHolder(_Rangeless):
    """Sphinx's files of 13 cepstra; only to be read."""

    def read(self, stream: InputStream) -> np.ndarray:
        """Reads the number of numbers and the features."""
        return sphinx.read_sphinx(stream)

    def write(self, stream: OutputStream, binary: bool, value: np.ndarray) -> None:
        raise KaldiError(f"{stream.name}: Sphinx's features are written to files of their own")


def _skip_blanks(stream: InputStream) -> None:
    while stream.peek() in (b" ", b"\t", b"\r", b"\f", b"\v"):
        stream.skip(1)


def _end_of_line(stream: InputStream) -> None:
    _skip_blanks(stream)
    if stream.peek() != b"\n":
        raise KaldiError(
            f"{stream.where()}: expected the end of the line, got {stream.peek() or 'the end of the input'!r}"
        )
    stream.skip(1)


def _token(stream: OutputStream, word: str) -> bytes:
    if not is_token(word):
        raise KaldiError(f"{stream.name}: {word!r} is no word (empty, or with spaces in it)")
    return encode(word)


def _read_double_matrix(stream: InputStream, binary: bool) -> np.ndarray:
    return matrix_io.read_matrix(stream, binary, np.float64)


def _read_double_vector(stream: InputStream, binary: bool) -> np.ndarray:
    return matrix_io.read_vector(stream, binary, np.float64)


def _write_as(
    write: Callable[[OutputStream, bool, np.ndarray], None], dtype: Any
) -> Callable[[OutputStream, bool, Any], None]:
    def write_converted(stream: OutputStream, binary: bool, value: Any) -> None:
        if isinstance(value, np.ndarray) and value.dtype == dtype:
            write(stream, binary, value)
            return
        with np.errstate(over="ignore"):
            write(stream, binary, np.asarray(value, dtype))

    return write_converted


def compressed_matrix(method: int = compressed.AUTOMATIC) -> ObjectHolder[Any]:
    """Matrices that are compressed when written, by one of Kaldi's methods 1 to 7; read as float32 arrays.

    What is a CompressedMatrix already is written as it is; in text, what it decompresses to.
    """

    def write(stream: OutputStream, binary: bool, value: np.ndarray | compressed.CompressedMatrix) -> None:
        if not isinstance(value, compressed.CompressedMatrix):
            value = compressed.CompressedMatrix.compress(value, method)
        if binary:
            value.write(stream)
        else:
            matrix_io.write_matrix(stream, False, value.decompress())

    return ObjectHolder(matrix_io.read_matrix, write, ranges.matrix_range, "matrix")


FLOAT_MATRIX = ObjectHolder(
    matrix_io.read_matrix, _write_as(matrix_io.write_matrix, np.float32), ranges.matrix_range, "matrix"
)
DOUBLE_MATRIX = ObjectHolder(_read_double_matrix, _write_as(matrix_io.write_matrix, np.float64), ranges.matrix_range)
COMPRESSED_MATRIX = compressed_matrix()
GENERAL_MATRIX = ObjectHolder(
    sparse.read_general_matrix,
    sparse.write_general_matrix,
    sparse.general_matrix_range,
    "general matrix",
    sparse.matrix_of_parts,
)
FLOAT_VECTOR = ObjectHolder(matrix_io.read_vector, _write_as(matrix_io.write_vector, np.float32), ranges.vector_range)
DOUBLE_VECTOR = ObjectHolder(_read_double_vector, _write_as(matrix_io.write_vector, np.float64), ranges.vector_range)
INT32 = BasicHolder(basic_io.read_int32, basic_io.write_int32)
FLOAT = BasicHolder(basic_io.read_float, basic_io.write_float)
DOUBLE = BasicHolder(basic_io.read_double, basic_io.write_double)
BOOL = BasicHolder(basic_io.read_bool, basic_io.write_bool)
INT32_VECTOR = ObjectHolder(integer_lists.read_ints, integer_lists.write_ints, form="integers")  # int32 arrays
INT32_VECTOR_VECTOR = ObjectHolder(integer_lists.read_int_lists, integer_lists.write_int_lists)
INT32_RAGGED = ObjectHolder(integer_lists.read_ragged, integer_lists.write_ragged)
INT32_PAIR_VECTOR = ObjectHolder(integer_lists.read_int_pairs, integer_lists.write_int_pairs)
FLOAT_PAIR_VECTOR = ObjectHolder(float_pairs.read_float_pairs, float_pairs.write_float_pairs)
DOUBLE_LIST = ObjectHolder(number_lists.read_numbers, number_lists.write_numbers)
POSTERIOR = ObjectHolder(posterior.read_posterior, posterior.write_posterior)
SPARSE_POSTERIOR = ObjectHolder(
    posterior.read_sparse_posterior,
    posterior.write_sparse_posterior,
    form="posterior",
    made=lambda parts: posterior.SparsePosterior(*parts),
)
GAUSS_POSTERIOR = ObjectHolder(posterior.read_gauss_posterior, posterior.write_gauss_posterior)
TOKEN = TokenHolder()
TOKEN_VECTOR = TokenVectorHolder()
WAVE = WaveHolder()
WAVE_INFO = WaveInfoHolder()
SPHINX_MATRIX = SphinxHolder()

"""Kaldi's tokens and basic types, binary and text (base/io-funcs.h).

Every function takes the stream first and whether the object is binary second, and raises KaldiError on what is not
there as expected.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.input_stream import TRUSTED_SIZE, InputStream
from kaldi_bridge.io.output_stream import OutputStream
from kaldi_bridge.io.text import SPACE, decode, encode, fields, shown, words

# Kaldi prints 7 significant digits wherever a stream began with (or without) the binary header.
PRECISION = 7
_INT32 = struct.Struct("<bi")
_FLOAT = struct.Struct("<bf")
_DOUBLE = struct.Struct("<bd")
_MARKED_INT32 = np.dtype([("size", "i1"), ("value", "<i4")])
_INTEGER = re.compile(rb"[+-]?[0-9]+")
_DTYPES = {name: np.dtype(name) for name in ("<f4", "<f8", "<i4", "<u2", "u1", "i1")}
_NUMBER = re.compile(
    rb"[+-]?(?:[0-9]+\.?[0-9]*(?:[eE][+-]?[0-9]+)?|\.[0-9]+(?:[eE][+-]?[0-9]+)?|inf(?:inity)?|nan)", re.I
)
_NUMBER_RUN = re.compile(rb"[-+.0-9A-Za-z]*")
_LONGEST_NUMBER = 512
_SPACES = encode(SPACE)


def read_header(stream: InputStream) -> bool:
    """Passes over the binary marker if there is one; True means that binary data follow."""
    if stream.end - stream.pos < 2:
        stream.fill(2)
    pos, end = stream.pos, stream.end
    if stream.buffer.startswith(b"\0B", pos, end):
        stream.pos = pos + 2
        return True
    if stream.buffer.startswith(b"\0", pos, end):
        raise KaldiError(f"{stream.where()}: neither text nor Kaldi's binary format")
    return False


def write_header(stream: OutputStream, binary: bool) -> None:
    """Writes the binary marker, in text mode nothing."""
    if binary:
        stream.write(b"\0B")


def format_float(value: float, precision: int = PRECISION) -> str:
    """As a C++ ostream prints it."""
    return f"{float(value):.{precision}g}"


# Tokens


def read_token(stream: InputStream, binary: bool) -> str:
    """The next token, such as ``<Nnet3>``, and the one white space that ends it."""
    word = stream.word()
    if not word:
        raise KaldiError(f"{stream.where()}: input ends where a token should be")
    if not _skipped_space(stream):
        raise KaldiError(f"{stream.where()}: no space after the token {_shown(word)}")
    return decode(word)


def _skipped_space(stream: InputStream) -> bool:
    if stream.pos == stream.end and not stream.fill(1):
        return False
    if stream.buffer[stream.pos] not in _SPACES:
        return False
    stream.pos += 1
    return True


def expect_token(stream: InputStream, binary: bool, token: str) -> None:
    """Passes over the token; raises KaldiError when another is there."""
    position = stream.tell()
    word = stream.word()
    if word != encode(token):
        found = _shown(word) if word else "the end of the input"
        raise KaldiError(f"{stream.name} at byte {position}: expected the token {token}, got {found}")
    _skipped_space(stream)  # or the end


def peek_token(stream: InputStream, binary: bool) -> str:
    """The first character of the next token after its "<", which stays unread; "" at the end of the input."""
    if not binary:
        stream.skip_space()
    ahead = stream.peek(2)
    ahead = ahead[1:] if ahead[:1] == b"<" else ahead[:1]
    return ahead.decode("latin-1")


def write_token(stream: OutputStream, binary: bool, token: str) -> None:
    """Writes the token and a space."""
    stream.write(_token_bytes(token))


@lru_cache(maxsize=1024)  # a file has few different tokens, but many of each
def _token_bytes(token: str) -> bytes:
    if words(token) != [token]:
        raise KaldiError(f"{token!r} cannot be written as a token: it is empty or has a space in it")
    return encode(token) + b" "


# Numbers


def read_int32(stream: InputStream, binary: bool) -> int:
    """A 32-bit integer."""
    if binary:
        size, value = _INT32.unpack(stream.read(5))
        if size != 4:
            raise KaldiError(f"{stream.where()}: expected a 4-byte integer, saw the size {size}")
        return value
    value = _text_integer(stream)
    if not -(1 << 31) <= value < 1 << 31:
        raise KaldiError(f"{stream.where()}: the integer {value} needs more than 32 bits")
    return value


def read_int32s(stream: InputStream, binary: bool, shape: tuple[int, int]) -> np.ndarray:
    """int32 of that shape: integers one after the other, each as ``read_int32`` reads it."""
    count = shape[0] * shape[1]
    if not binary:
        return np.array([read_int32(stream, binary) for _ in range(count)], dtype=np.int32).reshape(shape)
    start = stream.where()
    marked = np.frombuffer(stream.read(_MARKED_INT32.itemsize * count), _MARKED_INT32)
    if (marked["size"] != 4).any():
        raise KaldiError(f"{start}: expected {count} 4-byte integers, saw another size")
    return np.ascontiguousarray(marked["value"]).reshape(shape)


def write_int32(stream: OutputStream, binary: bool, value: int) -> None:
    """Writes a 32-bit integer."""
    value = int(value)
    if not -(1 << 31) <= value < 1 << 31:
        raise KaldiError(f"{stream.name}: the integer {value} needs more than 32 bits")
    stream.write(_INT32.pack(4, value) if binary else b"%d " % value)


def read_uint32(stream: InputStream, binary: bool) -> int:
    """An unsigned 32-bit integer (marked by the size -4)."""
    if binary:
        size, value = struct.unpack("<bI", stream.read(5))
        if size != -4:
            raise KaldiError(f"{stream.where()}: expected a 4-byte unsigned integer, saw the size {size}")
        return value
    value = _text_integer(stream)
    if not 0 <= value < 1 << 32:
        raise KaldiError(f"{stream.where()}: {value} is no unsigned 32-bit integer")
    return value


def write_uint32(stream: OutputStream, binary: bool, value: int) -> None:
    """Writes an unsigned 32-bit integer."""
    stream.write(struct.pack("<bI", -4, int(value)) if binary else b"%d " % int(value))


def read_uint16(stream: InputStream, binary: bool) -> int:
    """An unsigned 16-bit integer (marked by the size -2)."""
    if binary:
        size, value = struct.unpack("<bH", stream.read(3))
        if size != -2:
            raise KaldiError(f"{stream.where()}: expected a 2-byte unsigned integer, saw the size {size}")
        return value
    value = _text_integer(stream)
    if not 0 <= value < 1 << 16:
        raise KaldiError(f"{stream.where()}: {value} is no unsigned 16-bit integer")
    return value


def write_uint16(stream: OutputStream, binary: bool, value: int) -> None:
    """Writes an unsigned 16-bit integer."""
    stream.write(struct.pack("<bH", -2, int(value)) if binary else b"%d " % int(value))


def read_int64(stream: InputStream, binary: bool) -> int:
    """A 64-bit integer."""
    if binary:
        size, value = struct.unpack("<bq", stream.read(9))
        if size != 8:
            raise KaldiError(f"{stream.where()}: expected an 8-byte integer, saw the size {size}")
        return value
    return _text_integer(stream)


def write_int64(stream: OutputStream, binary: bool, value: int) -> None:
    """Writes a 64-bit integer."""
    stream.write(struct.pack("<bq", 8, int(value)) if binary else b"%d " % int(value))


def read_float(stream: InputStream, binary: bool) -> float:
    """A real number in single precision (binary: whatever precision is there), rounded to float32."""
    return float(np.float32(read_double(stream, binary)))


def read_double(stream: InputStream, binary: bool) -> float:
    """A real number; binary: whatever precision is there."""
    if binary:
        size = stream.peek()
        if size == b"\4":
            return _FLOAT.unpack(stream.read(5))[1]
        if size == b"\10":
            return _DOUBLE.unpack(stream.read(9))[1]
        raise KaldiError(f"{stream.where()}: expected a real number, saw the size {size!r}")
    return float(_text_number(stream, _NUMBER, "a number"))


def write_float(stream: OutputStream, binary: bool, value: float) -> None:
    """Writes a real number in single precision."""
    with np.errstate(over="ignore"):
        single = np.float32(value)
    stream.write(_FLOAT.pack(4, single) if binary else b"%.7g " % single)


def write_double(stream: OutputStream, binary: bool, value: float) -> None:
    """Writes a real number in double precision."""
    stream.write(_DOUBLE.pack(8, float(value)) if binary else b"%.7g " % float(value))


def read_bool(stream: InputStream, binary: bool) -> bool:
    """T or F."""
    if not binary:
        stream.skip_space()
    letter = stream.peek()
    if letter not in (b"T", b"F"):
        raise KaldiError(f"{stream.where()}: expected T or F, got {_shown(letter)}")
    stream.skip(1)
    return letter == b"T"


def write_bool(stream: OutputStream, binary: bool, value: bool) -> None:
    """Writes T or F."""
    stream.write((b"T" if value else b"F") + (b"" if binary else b" "))


# Vectors of integers


def read_int_vector(stream: InputStream, binary: bool) -> list[int]:
    """A std::vector<int32>."""
    if binary:
        return read_raw(stream, *_vector_header(stream, 1), "<i4").tolist()
    body = _bracketed(stream)
    return [_int32(stream, word) for word in fields(body)]


def write_int_vector(stream: OutputStream, binary: bool, values: Sequence[int] | np.ndarray) -> None:
    """Writes a std::vector<int32>."""
    if binary:
        array = int32_array(stream, values)
        stream.write(_INT32.pack(4, array.size))
        stream.write(array)
    else:
        stream.write(encode("[ " + "".join(f"{int(v)} " for v in values) + "]\n"))


def read_int_pair_vector(stream: InputStream, binary: bool) -> list[tuple[int, int]]:
    """A std::vector<std::pair<int32, int32>>."""
    if binary:
        pairs = read_raw(stream, *_vector_header(stream, 2), "<i4").reshape(-1, 2)
        return [(a, b) for a, b in pairs.tolist()]
    result = []
    for word in fields(_bracketed(stream)):
        first, comma, second = word.partition(b",")
        if not comma:
            raise KaldiError(f"{stream.where()}: expected a pair such as 1,2, got {_shown(word)}")
        result.append((_int32(stream, first), _int32(stream, second)))
    return result


def write_int_pair_vector(stream: OutputStream, binary: bool, pairs: Iterable[tuple[int, int]]) -> None:
    """Writes a std::vector<std::pair<int32, int32>>."""
    pairs = list(pairs)
    if binary:
        array = int32_array(stream, [v for pair in pairs for v in pair])
        stream.write(_INT32.pack(4, len(pairs)))
        stream.write(array)
    else:
        stream.write(encode("[ " + "".join(f"{int(a)},{int(b)} " for a, b in pairs) + "]\n"))


# Shared by the other readers and writers


def read_raw(stream: InputStream, shape: int | tuple[int, int], dtype: Any) -> np.ndarray:
    """Values without a header, as a writable array; never takes more memory than there is data."""
    dtype = _DTYPES[dtype]
    count = shape if isinstance(shape, int) else shape[0] * shape[1]
    nbytes = count * dtype.itemsize
    if nbytes <= stream.end - stream.pos:
        array = np.ndarray(shape, dtype, stream.buffer, stream.pos).copy()
        stream.pos += nbytes
        return array
    if not stream.holds(nbytes):
        raise KaldiError(f"{stream.where()}: truncated, {nbytes} more bytes expected")
    if nbytes > TRUSTED_SIZE and not stream.is_file():
        data = bytearray()
        while len(data) < nbytes:
            data += stream.read(min(TRUSTED_SIZE, nbytes - len(data)))
        return np.ndarray(shape, dtype, data)
    try:
        array = np.empty(shape, dtype)
    except (MemoryError, ValueError) as error:
        raise KaldiError(f"{stream.where()}: no memory for {nbytes} bytes") from error
    stream.readinto(array)
    return array


def int32_array(stream: OutputStream, values: Sequence[int] | np.ndarray) -> np.ndarray:
    """The values as little-endian int32; raises KaldiError where one does not fit."""
    array = np.asarray(values)
    if array.dtype == np.int32 and array.flags.c_contiguous:
        return array
    if array.size == 0:
        return np.zeros(0, "<i4")
    if array.dtype.kind not in "iu" or array.min() < -(1 << 31) or array.max() >= 1 << 31:
        raise KaldiError(f"{stream.name}: not all of these are 32-bit integers: {array.ravel()[:8].tolist()}...")
    return np.ascontiguousarray(array, "<i4")


def _vector_header(stream: InputStream, per_item: int) -> tuple[int]:
    size, count = _INT32.unpack(stream.read(5))
    if size != 4:
        raise KaldiError(f"{stream.where()}: expected a vector of 4-byte integers, saw the size {size}")
    if count < 0:
        raise KaldiError(f"{stream.where()}: negative vector length {count}")
    return (count * per_item,)


def _bracketed(stream: InputStream) -> bytes:
    stream.skip_space()
    if stream.peek() != b"[":
        raise KaldiError(f"{stream.where()}: expected [, saw {_shown(stream.peek())}")
    return stream.read_through(b"]")[1:-1]


def _int32(stream: InputStream, word: bytes) -> int:
    if not _INTEGER.fullmatch(word) or len(word) > 11 or not -(1 << 31) <= int(word) < 1 << 31:
        raise KaldiError(f"{stream.where()}: expected a 32-bit integer, got {_shown(word)}")
    return int(word)


def _text_integer(stream: InputStream) -> int:
    digits = _text_number(stream, _INTEGER, "an integer")
    if len(digits) > 20:
        raise KaldiError(f"{stream.where()}: an integer of {len(digits)} digits")
    return int(digits)


def _text_number(stream: InputStream, pattern: re.Pattern[bytes], what: str) -> bytes:
    """The next number; looks no further than the byte after it, as more may take long to come."""
    stream.skip_space()
    while True:
        run = _NUMBER_RUN.match(stream.buffer, stream.pos, stream.end)
        have = stream.end - stream.pos
        if run is None or run.end() < stream.end or have > _LONGEST_NUMBER or stream.fill(have + 1) == have:
            break
    match = pattern.match(stream.buffer, stream.pos, stream.end)
    if match is None:
        raise KaldiError(f"{stream.where()}: expected {what}, got {_shown(stream.peek(20))}")
    stream.pos = match.end()
    return match.group()


def _shown(data: bytes) -> str:
    if not data:
        return "the end of the input"
    return shown(data, 20)

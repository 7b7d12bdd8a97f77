"""Text as Kaldi has it: bytes, in which the space characters of C's isspace separate words, and no others.

A Python string stands for such bytes: what is no UTF-8 is held as surrogates (PEP 383) and comes out as it went in.
Whatever reads or cuts text does it with this module: ``str.split()`` would also cut at a no-break space, and
``splitlines()`` at U+2028, and ``isdigit()`` takes digits of any script.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from io import TextIOWrapper

from kaldi_bridge.errors import KaldiError

SPACE = " \t\n\r\f\v"
_WORD = re.compile(r"[^ \t\n\r\f\v]+")
_ESCAPED = re.compile("[\udc80-\udcff]")
_SURROGATE = re.compile(r"\\udc([89a-f][0-9a-f])")
_DIGITS = re.compile("[0-9]{1,18}")
REAL = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|[+-]?inf(?:inity)?|[+-]?nan", re.I)


def decode(data: bytes | bytearray) -> str:
    """The string that stands for these bytes."""
    return data.decode("utf-8", "surrogateescape")


def encode(text: str) -> bytes:
    """The bytes that the string stands for; also what to sort by, as ``LC_ALL=C sort`` does."""
    return text.encode("utf-8", "surrogateescape")


def is_utf8(text: str) -> bool:
    """Whether the string stands for bytes that are UTF-8."""
    return _ESCAPED.search(text) is None


def as_utf8(text: str) -> str:
    """With U+FFFD for bytes that are not UTF-8: for places where nothing else may go."""
    return encode(text).decode("utf-8", errors="replace")


def words(text: str | bytes) -> list[str]:
    """What stands between space characters."""
    return _WORD.findall(text if isinstance(text, str) else decode(text))


def fields(line: bytes) -> list[bytes]:
    """The same as bytes, where they are numbers or many."""
    return line.split()


def strip(text: str | bytes) -> str:
    """Without space characters at both ends."""
    return (text if isinstance(text, str) else decode(text)).strip(SPACE)


def key_and_rest(line: str | bytes) -> tuple[str, str]:
    """The first word and what follows it, without space characters around; "" for what is not there."""
    if isinstance(line, bytes):
        parts = line.split(None, 1)  # bytes, at ASCII space alone
        if len(parts) == 2:
            return parts[0].decode("utf-8", "surrogateescape"), parts[1].rstrip().decode("utf-8", "surrogateescape")
        return decode(parts[0]) if parts else "", ""
    text = strip(line)
    match = _WORD.match(text)
    return (match[0], text[match.end() :].lstrip(SPACE)) if match else ("", "")


def keys_and_rests(lines: Iterable[bytes]) -> Iterator[tuple[str, str]]:
    """The same of each line that is not empty; for many."""
    for line in lines:
        parts = line.split(None, 1)  # bytes, at ASCII space alone
        if parts:
            yield decode(parts[0]), decode(parts[1].rstrip()) if len(parts) > 1 else ""


def is_number(word: str) -> bool:
    """Whether it is written with the digits 0 to 9 alone, at most 18 of them."""
    return _DIGITS.fullmatch(word) is not None


def real_number(word: str, what: str) -> float:
    """A number as Kaldi's programs read one. Raises KaldiError, saying what it should have been."""
    if not REAL.fullmatch(word):
        raise KaldiError(f"{shown(word)} is no number: expected the {what}")
    return float(word)


def shown(text: str | bytes, longest: int = 80) -> str:
    """In quotes, cut, and escaped unless printable: for messages about what should be something else."""
    text = text if isinstance(text, str) else decode(text)
    cut = text if len(text) <= longest else text[: longest - 3] + "..."
    return _SURROGATE.sub(r"\\x\1", repr(cut))


def pass_bytes_through() -> None:
    """Lets standard output and error, which are the program's, show the bytes that strings stand for."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="surrogateescape")

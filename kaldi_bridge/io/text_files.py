"""Kaldi's text files: lines of words, most of them a key and a value, sorted by key in the C locale."""

from __future__ import annotations

import os
import re
import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.streams import open_output_file
from kaldi_bridge.io.text import decode, encode, is_utf8, keys_and_rests

_MISLEADING_SPACE = re.compile(r"[^\S\t\n \x1c-\x1f]")
Rows = dict[str, str]
"""The rest of the line by its key."""


def c_locale(key: str) -> bytes:
    """What to sort by: the bytes of the key."""
    return encode(key)


def in_order(keys: Iterable[str]) -> list[str]:
    """Sorted as ``LC_ALL=C sort`` does."""
    keys = list(keys)
    return sorted(keys) if "".join(keys).isascii() else sorted(keys, key=c_locale)


def read_text(path: str | os.PathLike[str]) -> str:
    """A whole file. Raises KaldiError where it cannot be read."""
    try:
        return decode(Path(path).read_bytes())
    except OSError as error:
        raise KaldiError(f"cannot read {os.fspath(path)}: {error.strerror}") from None


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Writes a whole file, or raises KaldiError and leaves what was there."""
    with open_output_file(path) as stream:
        stream.write(encode(text))


def read_lines(path: str | os.PathLike[str]) -> list[tuple[str, str]]:
    """(first word, rest of the line) of each line that is not empty, whatever their order.

    First words are interned: a data directory's files have the same ones, which are held once.
    """
    try:
        with open(path, "rb") as stream:
            return [(sys.intern(key), rest) for key, rest in keys_and_rests(stream)]
    except OSError as error:
        raise KaldiError(f"cannot read {os.fspath(path)}: {error.strerror}") from None


def check_spaces(path: str | os.PathLike[str]) -> None:
    """Raises KaldiError where a file has spaces that look as if they separated words, and do not.

    Carriage returns too, as utils/validate_text.pl has it; in other encodings than UTF-8 there is nothing to check.
    """
    text = read_text(path)
    if text.isascii() and not any(space in text for space in "\r\f\v"):
        return
    if is_utf8(text) and (found := _MISLEADING_SPACE.search(text)):
        line = text.count("\n", 0, found.start()) + 1
        raise KaldiError(f"{os.fspath(path)}: line {line} has a space that is no ASCII space or tab: {found[0]!a}")


def read_rows(path: str | os.PathLike[str]) -> Rows:
    """Raises KaldiError when the file is missing or empty, or a key is in it twice."""
    lines = read_lines(path)
    rows = dict(lines)
    if not rows:
        raise KaldiError(f"empty file {os.fspath(path)}")
    if len(rows) < len(lines):
        twice = next(key for key, count in Counter(key for key, _ in lines).items() if count > 1)
        raise KaldiError(f"{os.fspath(path)}: {twice} is there twice (fix_data_dir.sh keeps the first)")
    return rows


def write_rows(path: Path, rows: Mapping[str, str]) -> None:
    """Writes the lines in the order of the keys, whole or not at all."""
    write_text(path, "".join(f"{key} {rows[key]}\n" if rows[key] else f"{key}\n" for key in in_order(rows)))

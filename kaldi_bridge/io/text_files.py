"""Kaldi's text files: lines of words, most of them a key and a value, sorted by key in the C locale."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.streams import open_output_file

Rows = dict[str, str]
"""The rest of the line by its key."""


def c_locale(key: str) -> bytes:
    """What to sort by: the bytes of the key."""
    return key.encode("utf-8", "surrogateescape")


def in_order(keys: Iterable[str]) -> list[str]:
    """Sorted as ``LC_ALL=C sort`` does."""
    return sorted(keys, key=c_locale)


def read_lines(path: str | os.PathLike[str]) -> list[tuple[str, str]]:
    """(first word, rest of the line) of each line that is not empty, whatever their order."""
    lines = []
    try:
        with open(path, "rb") as stream:
            for line in stream:
                words = line.split(maxsplit=1)  # of bytes: a word may hold a space that only Unicode knows
                if words:
                    key, value = words[0], words[1].rstrip() if len(words) == 2 else b""
                    lines.append((key.decode("utf-8", "surrogateescape"), value.decode("utf-8", "surrogateescape")))
    except OSError as error:
        raise KaldiError(f"cannot read {os.fspath(path)}: {error.strerror}") from None
    return lines


def read_rows(path: str | os.PathLike[str]) -> Rows:
    """Raises KaldiError when the file is missing or empty, or a key is in it twice."""
    lines = read_lines(path)
    rows = dict(lines)
    if not rows:
        raise KaldiError(f"empty file {os.fspath(path)}")
    if len(rows) < len(lines):
        seen: set[str] = set()
        twice = next(key for key, _ in lines if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise KaldiError(f"{os.fspath(path)}: {twice} is there twice (fix_data_dir.sh keeps the first)")
    return rows


def write_rows(path: Path, rows: Mapping[str, str]) -> None:
    """Writes the lines in the order of the keys, whole or not at all."""
    text = "".join(f"{key} {rows[key]}\n" if rows[key] else f"{key}\n" for key in in_order(rows))
    with open_output_file(path) as stream:
        stream.write(text.encode("utf-8", "surrogateescape"))


def words(text: str) -> list[str]:
    """Split at white space as Kaldi does: only that of ASCII."""
    return [word.decode("utf-8", "surrogateescape") for word in c_locale(text).split()]

"""One line of an nnet3 config: a first word, then key=value pairs (Kaldi's ConfigLine, util/text-utils.cc)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import numpy as np

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.text import SPACE, key_and_rest

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.\-]*\Z")
_INTEGER = re.compile(r"\s*[+-]?\d{1,20}\Z", re.ASCII)
_REAL = re.compile(r"\s*[+-]?(?:\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?|inf(?:inity)?|nan)\Z", re.I | re.A)


def is_valid_name(name: str) -> bool:
    """Whether a node, component or key may be called so."""
    return _NAME.match(name) is not None


def to_integer(text: str) -> int | None:
    """A 32-bit integer, or None."""
    if not _INTEGER.match(text):
        return None
    value = int(text)
    return value if -(2**31) <= value < 2**31 else None


def to_real(text: str) -> float | None:
    """A number in single precision, or None."""
    if not _REAL.match(text):
        return None
    with np.errstate(over="ignore"):
        return float(np.float32(float(text)))


class ConfigLine:
    """Values are marked as used when they are asked for, so that misspelt keys can be reported.

    A value may be quoted with ' or "; unquoted it may hold spaces and ends before the next ``key=``.
    """

    def __init__(self, line: str = "") -> None:
        self.first_token = ""
        self.whole_line = ""
        self._values: dict[str, str] = {}
        self._used: set[str] = set()
        if line:
            self.parse_line(line)

    def parse_line(self, line: str) -> None:
        """Raises KaldiError when the line is empty or not of the form ``word key=value ...``."""
        self.whole_line, self.first_token, self._values, self._used = line, "", {}, set()
        rest = line.lstrip(SPACE)
        if not rest:
            raise KaldiError("Error parsing config line: it is empty")
        word, _ = key_and_rest(rest)
        if "=" not in word:
            if not is_valid_name(word):
                raise self._error(f"'{word}' is not a valid name")
            self.first_token = word
            rest = rest[len(word) :]
        while rest := rest.lstrip(SPACE):
            key, equals, rest = rest.partition("=")
            if not equals or not is_valid_name(key):
                raise self._error(f"expected key=value at '{key}'")
            if rest[:1] in ("'", '"'):
                value, quote, after = rest[1:].partition(rest[0])
                if not quote:
                    raise self._error(f"no matching quote for {rest[0]}")
                rest = after
            else:
                value, rest = self._unquoted(rest)
            self._values.setdefault(key, value)

    @staticmethod
    def _unquoted(rest: str) -> tuple[str, str]:
        end = len(rest)
        if (equals := rest.find("=")) >= 0:
            space = max(rest.rfind(" ", 0, equals), rest.rfind("\t", 0, equals))
            if space >= 0:
                end = space
        return rest[:end].rstrip(SPACE), rest[end:]

    def _error(self, what: str) -> KaldiError:
        return KaldiError(f"Error parsing config line: {self.whole_line} ({what})")

    def get_value(self, key: str, kind: type = str) -> Any:
        """The value as str, int, float, bool or (``list``) a list of integers; None when the key is absent.

        Raises KaldiError when the value is not of that kind.
        """
        if key not in self._values:
            return None
        text = self._values[key]
        value: Any
        if kind is str:
            value = text
        elif kind is bool:
            value = {"t": True, "f": False}.get(text[:1].lower())
        elif kind is int:
            value = to_integer(text)
        elif kind is float:
            value = to_real(text)
        else:
            parts = [to_integer(part) for part in re.split("[:,]", text) if part]
            value = None if None in parts else parts
        if value is None:
            raise self._error(f"{key}={text} is not of type {kind.__name__}")
        self._used.add(key)
        return value

    def has_unused_values(self) -> bool:
        """Whether there are keys that nobody asked for."""
        return len(self._used) < len(self._values)

    def unused_values(self) -> str:
        """``key=value`` of each key that nobody asked for, sorted."""
        return " ".join(f"{k}={v}" for k, v in sorted(self._values.items()) if k not in self._used)


def read_config_lines(lines: Iterable[str]) -> list[str]:
    """The lines without comments, empty lines and surrounding white space."""
    stripped = (line.partition("#")[0].strip(" \t\r\n") for line in lines)
    return [line for line in stripped if line]

"""Reading the keys of a component's config line, with messages that name the key."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.matrix_io import read_matrix, read_vector

if TYPE_CHECKING:
    from nnet3_compat.components.config_line import ConfigLine

V = TypeVar("V", int, float, bool, str)

MAX_DIM = 2**24
MAX_PARAMETERS = 2**28
"""Limits far beyond any network, so that a typing error does not ask for all memory."""


class Keys:
    """The keys of one config line for a component of type ``type_name``."""

    def __init__(self, line: ConfigLine, type_name: str) -> None:
        self._line = line
        self._type = type_name

    def has(self, key: str) -> bool:
        """Whether the line has the key."""
        return self._line.get_value(key, str) is not None

    def get(self, key: str, kind: type[V], default: V) -> V:
        """The value of an optional key."""
        value = self._line.get_value(key, kind)
        if value is None:
            value = default
        return kind(np.float32(value)) if kind is float else value

    def need(self, key: str, kind: type[V]) -> V:
        """The value of a required key; numbers are rounded to single precision.

        Raises:
            KaldiError: it is missing, or not of this kind.
        """
        value = self._line.get_value(key, kind)
        if value is None:
            raise self.error(f"{key}=... is missing")
        return kind(np.float32(value)) if kind is float else value

    def positive(self, key: str) -> int:
        """A required integer above zero."""
        return self._checked(key, self.need(key, int))

    def positive_or(self, key: str, default: int) -> int:
        """An optional integer. Raises KaldiError unless it is above zero and not absurdly large."""
        return self._checked(key, self.get(key, int, default))

    def _checked(self, key: str, value: int) -> int:
        self.expect(value > 0, f"{key} must be above zero, not {value}")
        self.expect(value <= MAX_DIM, f"{key}={value} is too large")
        return value

    def not_negative_or(self, key: str, default: float) -> float:
        """An optional number. Raises KaldiError for one below zero."""
        value = self.get(key, float, default)
        self.expect(value >= 0.0, f"{key} must not be negative")
        return value

    def ints(self, key: str, separators: str = ",") -> list[int] | None:
        """A list of integers, None when the key is absent."""
        text = self._line.get_value(key, str)
        if text is None:
            return None
        for other in separators[1:]:
            text = text.replace(other, separators[0])
        try:
            values = [int(part) for part in text.split(separators[0])]
        except ValueError:
            values = []
        self.expect(bool(values), f"{key} must be integers separated by {separators[0]!r}, not {text!r}")
        self.expect(all(-(2**31) <= v < 2**31 for v in values), f"{key} has an integer out of range")
        return values

    def matrix(self, key: str) -> np.ndarray | None:
        """The matrix in the file that the key names, float32; None when the key is absent."""
        return self._object(key, read_matrix)

    def vector(self, key: str) -> np.ndarray | None:
        """float32 [n] from the file that the key names, None without the key. Raises KaldiError if it is unreadable."""
        return self._object(key, read_vector)

    def _object(self, key: str, read: Callable[..., np.ndarray]) -> np.ndarray | None:
        name = self._line.get_value(key, str)
        if name is None:
            return None
        from kaldi_bridge.io.basic_io import read_header
        from kaldi_bridge.io.streams import open_input

        with open_input(name) as stream:
            value: np.ndarray = read(stream, read_header(stream), dtype=np.float32)
        self.expect(value.size > 0, f"{key}={name} is empty")
        return value

    def expect_size(self, rows: int, columns: int) -> None:
        """Raise KaldiError rather than make a parameter matrix beyond all reason."""
        self.expect(rows * columns <= MAX_PARAMETERS, f"{rows} by {columns} parameters are too many")

    def expect(self, condition: bool, what: str) -> None:
        """Raises KaldiError, with component type and line, unless the condition holds."""
        if not condition:
            raise self.error(what)

    def error(self, what: str) -> KaldiError:
        """The error to raise: component type, what is wrong, and the line."""
        return KaldiError(f"{self._type}: {what}, in config line: {self._line.whole_line}")

    def finish(self) -> None:
        """Raise KaldiError when the line has keys that nobody asked for."""
        if self._line.has_unused_values():
            raise KaldiError(
                f"Could not process these elements in initializer: {self._line.unused_values()} "
                f"({self._type}, in config line: {self._line.whole_line})"
            )

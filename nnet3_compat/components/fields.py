"""The file layout of a component, declared once and used by both the reader and the writer.

A component is ``<Type> <Token> value ... </Type>``. Over the years Kaldi has added tokens and dropped others, so a
field may be optional when reading, and may be written only when it says something.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io import basic_io, matrix_io
from kaldi_bridge.io.streams import InputStream, OutputStream
from nnet3_compat.components.int8_matrix import read_parameters, write_parameters


@dataclass(frozen=True)
class Kind:
    """How one value is read and written."""

    read: Callable[[InputStream, bool], Any]
    write: Callable[[OutputStream, bool, Any], None]


def _array(dtype: type, read: Callable[..., Any], write: Callable[..., None]) -> Kind:
    def write_as(stream: OutputStream, binary: bool, value: Any) -> None:
        write(stream, binary, np.ascontiguousarray(value, dtype=dtype))

    return Kind(lambda stream, binary: read(stream, binary, dtype=dtype), write_as)


INT = Kind(basic_io.read_int32, basic_io.write_int32)
FLOAT = Kind(basic_io.read_float, basic_io.write_float)
DOUBLE = Kind(basic_io.read_double, basic_io.write_double)
BOOL = Kind(basic_io.read_bool, basic_io.write_bool)
INTS = Kind(basic_io.read_int_vector, basic_io.write_int_vector)
PAIRS = Kind(basic_io.read_int_pair_vector, basic_io.write_int_pair_vector)
VECTOR = _array(np.float32, matrix_io.read_vector, matrix_io.write_vector)
MATRIX = Kind(read_parameters, write_parameters)
"""In a network that was exported so, some of them are an Int8Matrix on file."""
DOUBLE_VECTOR = _array(np.float64, matrix_io.read_vector, matrix_io.write_vector)
DOUBLE_MATRIX = _array(np.float64, matrix_io.read_matrix, matrix_io.write_matrix)
PRESENT = Kind(lambda stream, binary: True, lambda stream, binary, value: None)
"""True when the token is there; no value follows it."""


def _nothing(component: Any) -> bool:
    return False


@dataclass(frozen=True, init=False)
class Field:
    """``token`` followed by one value per attribute in ``names``.

    ``when`` decides whether it is written (default: always); a field with ``when`` is optional in a file.
    """

    tokens: tuple[str, ...]
    kind: Kind
    names: tuple[str, ...]
    optional: bool
    when: Callable[[Any], bool] | None

    def __init__(
        self,
        token: str,
        kind: Kind,
        *names: str,
        optional: bool = False,
        when: Callable[[Any], bool] | None = None,
        older: tuple[str, ...] = (),
    ) -> None:
        for name, value in (
            ("tokens", (token, *older)),
            ("kind", kind),
            ("names", names),
            ("optional", optional or when is not None),
            ("when", when),
        ):
            object.__setattr__(self, name, value)


def marker(token: str) -> Field:
    """A token that stands alone, always there."""
    return Field(token, PRESENT)


def legacy(token: str, kind: Kind, name: str = "") -> Field:
    """What older files have and is no longer written; without a name the value is dropped."""
    return Field(token, kind, name, when=_nothing)


def nonzero(name: str) -> Callable[[Any], bool]:
    """Written when the attribute is not zero (or not false)."""
    return lambda component: bool(getattr(component, name))


def read_fields(
    fields: Iterable[Field], type_name: str, endings: tuple[str, ...], stream: InputStream, binary: bool
) -> dict[str, Any]:
    """The values by attribute name; absent optional ones are left out. Raises KaldiError naming the token."""
    values: dict[str, Any] = {}
    token = basic_io.read_token(stream, binary)
    if token == f"<{type_name}>":
        token = basic_io.read_token(stream, binary)
    for item in fields:
        if token in item.tokens:
            for name in item.names:
                values[name] = item.kind.read(stream, binary)
            token = basic_io.read_token(stream, binary)
        elif not item.optional:
            raise KaldiError(f"{stream.name}: {type_name}: expected {item.tokens[0]}, got {token!r}")
    if token not in endings:
        raise KaldiError(f"{stream.name}: {type_name}: expected {endings[0]}, got {token!r}")
    values.pop("", None)
    return values


def write_fields(fields: Iterable[Field], component: Any, stream: OutputStream, binary: bool) -> None:
    """Writes the fields that are to be written for this component, each behind its token."""
    for item in fields:
        if item.when is not None and not item.when(component):
            continue
        basic_io.write_token(stream, binary, item.tokens[0])
        for name in item.names:
            item.kind.write(stream, binary, getattr(component, name))

"""Descriptors as xconfigs write them: nnet3's, with layers for nodes, and shorthands.

``[-1]`` is the layer before, ``name@-3`` its output three frames earlier, a bare number an offset of the layer before,
and ``layer.output`` one of a layer's further outputs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from kaldi_bridge.errors import KaldiError

N = TypeVar("N", int, float)

_SEVERAL = {"Append", "Sum", "Switch", "Failover", "IfDefined"}
_WITH_NUMBERS = {"Offset", "Round", "ReplaceIndex"}
MAX_DEPTH = 60


@dataclass(frozen=True)
class LayerDescriptor:
    """An operator with its items (descriptors, numbers, "t" or "x"), or, without operator, the name of a layer."""

    operator: str | None
    items: tuple[LayerDescriptor | int | float | str, ...]

    def __str__(self) -> str:
        return self.text(lambda layer: layer)

    def text(self, node_of: Callable[[str], str]) -> str:
        """Written out, with each layer's name replaced."""
        if self.operator is None:
            return node_of(str(self.items[0]))
        inner = (item.text(node_of) if isinstance(item, LayerDescriptor) else str(item) for item in self.items)
        return f"{self.operator}({', '.join(inner)})"

    def dim(self, dim_of: Callable[[str], int]) -> int:
        """Its dimension, given each layer's. Raises KaldiError where summed dimensions differ."""
        if self.operator is None:
            return dim_of(str(self.items[0]))
        if self.operator == "Const":
            _, dim = self.items
            assert isinstance(dim, int)
            return dim
        dims = [item.dim(dim_of) for item in self.items if isinstance(item, LayerDescriptor)]
        if self.operator == "Append":
            return sum(dims)
        if len(set(dims)) != 1:
            raise KaldiError(f"in the descriptor {self} the parts have different dimensions: {dims}")
        return dims[0]


def parse_descriptor(text: str, previous: Sequence[str]) -> LayerDescriptor:
    """``previous``: the names of the layers so far. Raises KaldiError."""
    parser = _Parser(text, previous)
    made = parser.descriptor(0)
    if parser.token() is not None:
        raise parser.error("the end")
    return made


class _Parser:
    def __init__(self, text: str, previous: Sequence[str]) -> None:
        self.text, self.previous, self.at = text, previous, 0
        self.tokens = re.findall(r"[(),@]|[^(),@\s]+", re.sub(r"\[([^\[\]]*)\]\s*", self._bracket, text), re.ASCII)

    def _bracket(self, match: re.Match[str]) -> str:
        try:
            number = int(match[1])
        except ValueError:
            number = 0
        if not -len(self.previous) <= number < 0:
            raise KaldiError(f"descriptor '{self.text}': [{match[1]}] is no earlier layer")
        return self.previous[number]

    def token(self) -> str | None:
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    def error(self, wanted: str) -> KaldiError:
        return KaldiError(f"descriptor '{self.text}': expected {wanted}, got {self.token() or 'its end'}")

    def expect(self, token: str) -> None:
        if self.token() != token:
            raise self.error(f"'{token}'")
        self.at += 1

    def number(self, kind: type[N]) -> N:
        try:
            value = kind(self.token() or "")
        except ValueError:
            raise self.error("a number") from None
        self.at += 1
        return value

    def descriptor(self, depth: int) -> LayerDescriptor:
        token = self.token()
        if token is None or token in "(),@":
            raise self.error("a descriptor")
        if depth > MAX_DEPTH:
            raise KaldiError(f"descriptor '{self.text[:60]}...': more than {MAX_DEPTH} operators are within each other")
        self.at += 1
        if token in _SEVERAL | _WITH_NUMBERS | {"Scale", "Const"}:
            self.expect("(")
            made = LayerDescriptor(token, tuple(self.items(token, depth + 1)))
            self.expect(")")
            return made
        if re.match(r"[a-zA-Z_]", token):
            layer = LayerDescriptor(None, (token,))
            if self.token() != "@":
                return layer
            self.at += 1
            return self.shifted(layer, self.number(int))
        self.at -= 1
        offset = self.number(int)
        if not self.previous:
            raise KaldiError(f"descriptor '{self.text}': there is no layer before that {offset} could be an offset of")
        return self.shifted(LayerDescriptor(None, (self.previous[-1],)), offset)

    @staticmethod
    def shifted(layer: LayerDescriptor, offset: int) -> LayerDescriptor:
        return LayerDescriptor("Offset", (layer, offset)) if offset else layer

    def items(self, operator: str, depth: int) -> list[LayerDescriptor | int | float | str]:
        if operator in ("Scale", "Const"):
            value = self.number(float)
            self.expect(",")
            return [value, self.descriptor(depth) if operator == "Scale" else self.number(int)]
        items: list[LayerDescriptor | int | float | str] = [self.descriptor(depth)]
        if operator in _SEVERAL:
            while self.token() == ",":
                self.at += 1
                items.append(self.descriptor(depth))
            expected = {"Failover": 2, "IfDefined": 1}.get(operator, len(items))
            if len(items) != expected:
                raise KaldiError(f"descriptor '{self.text}': {operator} takes {expected} arguments, not {len(items)}")
            return items
        self.expect(",")
        if operator == "ReplaceIndex":
            if self.token() not in ("t", "x"):
                raise self.error("'t' or 'x'")
            items.append(str(self.token()))
            self.at += 1
            self.expect(",")
        number = self.number(int)
        items.append(number)
        if operator == "Round" and number <= 0:
            raise KaldiError(f"descriptor '{self.text}': Round needs a positive number")
        if operator == "Offset" and self.token() == ",":
            self.at += 1
            items.append(self.number(int))
        return items

"""Descriptors: how a node's input is glued together from other nodes (nnet3/nnet-descriptor.h).

``parse`` gives the normal form that Kaldi keeps and writes: Append only outermost; below it Sum, Failover, IfDefined
and Const (Sum with two arguments); below those Offset, Round, ReplaceIndex and Switch; Scale only around a node's name.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.basic_io import format_float
from nnet3_compat.components.config_line import is_valid_name, to_integer, to_real

MAX_TOKENS = 20000
MAX_DEPTH = 60
MAX_TERMS = 400


class Descriptor:
    """What all descriptors share; compare and hash by value."""

    def children(self) -> tuple[Descriptor, ...]:
        """The descriptors directly inside."""
        raise NotImplementedError

    def with_children(self, children: tuple[Descriptor, ...]) -> Descriptor:
        """The same around other descriptors."""
        raise NotImplementedError

    def node_names(self) -> Iterator[str]:
        """Names of the nodes that it reads, left to right, with repeats."""
        for child in self.children():
            yield from child.node_names()

    def rename(self, names: Mapping[str, str]) -> Descriptor:
        """The same with nodes renamed."""
        return self.with_children(tuple(child.rename(names) for child in self.children()))

    def dim(self, node_dim: Callable[[str], int]) -> int:
        """Its dimension, given each node's. Raises KaldiError where summed or switched dimensions differ."""
        dims = [child.dim(node_dim) for child in self.children()]
        if len(set(dims)) != 1:
            raise KaldiError(f"{type(self).__name__} expression with inconsistent dimensions {dims}: {self}")
        return dims[0]

    def modulus(self) -> int:
        """Times shifted by a multiple of it leave its structure as it is."""
        return math.lcm(1, *(child.modulus() for child in self.children()))


@dataclass(frozen=True)
class _Leaf(Descriptor):
    def children(self) -> tuple[Descriptor, ...]:
        return ()

    def with_children(self, children: tuple[Descriptor, ...]) -> Descriptor:
        return self


@dataclass(frozen=True)
class _Around(Descriptor):
    arg: Descriptor

    def children(self) -> tuple[Descriptor, ...]:
        return (self.arg,)

    def with_children(self, children: tuple[Descriptor, ...]) -> Descriptor:
        return replace(self, arg=children[0])


@dataclass(frozen=True)
class _Several(Descriptor):
    args: tuple[Descriptor, ...]

    def children(self) -> tuple[Descriptor, ...]:
        return self.args

    def with_children(self, children: tuple[Descriptor, ...]) -> Descriptor:
        return type(self)(children)

    def __str__(self) -> str:
        return f"{type(self).__name__}({', '.join(map(str, self.args))})"


@dataclass(frozen=True)
class NodeRef(_Leaf):
    """The output of a node at the same time."""

    name: str

    def node_names(self) -> Iterator[str]:
        yield self.name

    def rename(self, names: Mapping[str, str]) -> Descriptor:
        return NodeRef(names.get(self.name, self.name))

    def dim(self, node_dim: Callable[[str], int]) -> int:
        return node_dim(self.name)

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class Offset(_Around):
    """The argument at time ``+ t`` and extra index ``+ x``."""

    t: int
    x: int = 0

    def __str__(self) -> str:
        return f"Offset({self.arg}, {self.t}, {self.x})" if self.x else f"Offset({self.arg}, {self.t})"


@dataclass(frozen=True)
class Round(_Around):
    """The argument at the time rounded down to a multiple of ``period``."""

    period: int

    def modulus(self) -> int:
        return math.lcm(self.period, self.arg.modulus())

    def __str__(self) -> str:
        return f"Round({self.arg}, {self.period})"


@dataclass(frozen=True)
class ReplaceIndex(_Around):
    """The argument with its ``t`` or ``x`` index replaced by ``value``."""

    var: str
    value: int

    def __str__(self) -> str:
        return f"ReplaceIndex({self.arg}, {self.var}, {self.value})"


@dataclass(frozen=True)
class Scale(Descriptor):
    """Scale(s, x): s times x."""

    scale: float
    arg: Descriptor

    def children(self) -> tuple[Descriptor, ...]:
        return (self.arg,)

    def with_children(self, children: tuple[Descriptor, ...]) -> Descriptor:
        return Scale(self.scale, children[0])

    def __str__(self) -> str:
        return str(self.arg) if self.scale == 1.0 else f"Scale({format_float(self.scale, 6)}, {self.arg})"


@dataclass(frozen=True)
class Const(_Leaf):
    """The same number in ``size`` dimensions."""

    value: float
    size: int

    def dim(self, node_dim: Callable[[str], int]) -> int:
        return self.size

    def __str__(self) -> str:
        return f"Const({format_float(self.value, 6)}, {self.size})"


@dataclass(frozen=True)
class IfDefined(_Around):
    """The argument, or zero where it cannot be computed."""

    def __str__(self) -> str:
        return f"IfDefined({self.arg})"


@dataclass(frozen=True)
class Failover(Descriptor):
    """``a``, or ``b`` where ``a`` cannot be computed."""

    a: Descriptor
    b: Descriptor

    def children(self) -> tuple[Descriptor, ...]:
        return (self.a, self.b)

    def with_children(self, children: tuple[Descriptor, ...]) -> Descriptor:
        return Failover(*children)

    def __str__(self) -> str:
        return f"Failover({self.a}, {self.b})"


@dataclass(frozen=True)
class Append(_Several):
    """The arguments side by side."""

    def dim(self, node_dim: Callable[[str], int]) -> int:
        return sum(arg.dim(node_dim) for arg in self.args)


@dataclass(frozen=True)
class Sum(_Several):
    """Sum(x, y): element by element; as often as there are terms."""


@dataclass(frozen=True)
class Switch(_Several):
    """The argument number t modulo their number."""

    def modulus(self) -> int:
        return math.lcm(len(self.args), super().modulus())


# Parsing.


def parse(text: str, nodes: Collection[str] | None = None) -> Descriptor:
    """The normal form of a descriptor.

    Raises KaldiError when it is malformed, names something that is not in ``nodes``, or cannot be normalised.
    """
    parser = _Parser(text, nodes)
    descriptor = parser.descriptor(0)
    if parser.token() is not None:
        raise parser.error("the end")
    return normalize(descriptor)


class _Parser:
    def __init__(self, text: str, nodes: Collection[str] | None) -> None:
        self.text, self.nodes, self.at, self.terms = text, nodes, 0, 0
        self.tokens = re.findall(r"[(),]|[^(),\s]+", text, re.ASCII)
        if len(self.tokens) > MAX_TOKENS:
            raise KaldiError("descriptor is too long")
        for token in self.tokens:
            if token not in "()," and not is_valid_name(token) and to_real(token) is None:
                raise KaldiError(f"Error tokenizing descriptor '{text}' at '{token}'")

    def token(self) -> str | None:
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    def next(self) -> str | None:
        token = self.token()
        self.at += 1
        return token

    def error(self, wanted: str) -> KaldiError:
        got = self.token()
        return KaldiError(f"Error parsing descriptor '{self.text}': expected {wanted}, got {got or 'the end of input'}")

    def expect(self, token: str) -> None:
        if self.token() != token:
            raise self.error(f"'{token}'")
        self.at += 1

    def integer(self) -> int:
        value = to_integer(self.token() or "")
        if value is None:
            raise self.error("an integer")
        self.at += 1
        return value

    def real(self) -> float:
        value = to_real(self.token() or "")
        if value is None:
            raise self.error("a number")
        self.at += 1
        return value

    def descriptor(self, depth: int) -> Descriptor:
        if depth > MAX_DEPTH:
            raise KaldiError(
                f"Error parsing descriptor '{self.text[:60]}...': more than {MAX_DEPTH} operators are within each other"
            )
        name = self.token()
        if name not in _OPERATORS:
            if name is None or not is_valid_name(name) or (self.nodes is not None and name not in self.nodes):
                raise self.error("a descriptor or the name of a node")
            self.at += 1
            return NodeRef(name)
        self.at += 1
        self.expect("(")
        made = self.operator(name, depth + 1)
        self.expect(")")
        return made

    def operator(self, name: str, depth: int) -> Descriptor:
        if name == "Const":
            value = self.real()
            self.expect(",")
            size = self.integer()
            if size <= 0 or not math.isfinite(value):
                raise self.error(f"a finite value and a positive dimension in Const({value}, {size})")
            return Const(value, size)
        if name == "Scale":
            scale = self.real()
            self.expect(",")
            return Scale(scale, self.descriptor(depth))
        args = [self.descriptor(depth)]
        if name in ("Append", "Sum", "Switch"):
            while self.token() == ",":
                self.at += 1
                args.append(self.descriptor(depth))
            if name == "Sum":  # which nests one level deeper for each term
                self.terms += len(args)
                if self.terms > MAX_TERMS:
                    raise KaldiError(f"Error parsing descriptor '{self.text[:60]}...': too many terms in Sum")
            return {"Append": Append, "Sum": Sum, "Switch": Switch}[name](tuple(args))
        if name == "IfDefined":
            return IfDefined(args[0])
        self.expect(",")
        if name == "Failover":
            return Failover(args[0], self.descriptor(depth))
        if name == "Round":
            if (to_integer(self.token() or "") or 0) < 1:
                raise self.error("a positive integer")
            return Round(args[0], self.integer())
        if name == "ReplaceIndex":
            if self.token() not in ("t", "x"):
                raise self.error("'t' or 'x'")
            var = self.next() or ""
            self.expect(",")
            return ReplaceIndex(args[0], var, self.integer())
        t, x = self.integer(), 0
        if self.token() == ",":
            self.at += 1
            x = self.integer()
        return Offset(args[0], t, x)


_OPERATORS = {
    "Append", "Sum", "Failover", "IfDefined", "Offset", "Switch", "Scale", "Const", "Round", "ReplaceIndex",
}  # fmt: skip


# The normal form.


def normalize(d: Descriptor) -> Descriptor:
    """Append outermost, sums below, forwarding below those. Raises KaldiError where Kaldi cannot do so."""
    terms = [_normalize_term(term) for term in _append_terms(d)]
    return terms[0] if len(terms) == 1 else Append(tuple(terms))


def _append_terms(d: Descriptor) -> list[Descriptor]:
    """The descriptors, free of Append, that ``d`` is the appending of."""
    children = [_append_terms(child) for child in d.children()]
    if isinstance(d, Append):
        return [term for child in children for term in child]
    if not children:
        return [d]
    if len({len(child) for child in children}) != 1:
        raise KaldiError(f"Append expressions of different lengths inside {d}")
    return [d.with_children(terms) for terms in zip(*children, strict=True)]


def _normalize_term(d: Descriptor) -> Descriptor:
    if isinstance(d, NodeRef | Const):
        return d
    if isinstance(d, Sum):
        args = [_normalize_term(arg) for arg in d.args]
        made = args[-1]
        for arg in reversed(args[:-1]):
            made = Sum((arg, made))
        return made
    if isinstance(d, Failover | IfDefined):
        return d.with_children(tuple(_normalize_term(child) for child in d.children()))
    if isinstance(d, Switch):
        args = [_normalize_term(arg) for arg in d.args]
        if len(args) > 1 or isinstance(args[0], Const):
            for arg in args:
                if isinstance(arg, Sum | Failover | IfDefined | Const):
                    raise KaldiError(f"Sum, Failover, IfDefined or Const inside Switch is not possible: {d}")
            return Switch(tuple(args))
        return _push(d, args[0])
    return _push(d, _normalize_term(d.children()[0]))


def _push(outer: Descriptor, arg: Descriptor) -> Descriptor:
    """``outer`` (Offset, Round, ReplaceIndex, Scale or a Switch of one) around ``arg``, which is in normal form."""
    if isinstance(outer, Scale):
        if outer.scale == 1.0:
            return arg
        if isinstance(arg, Offset | Round | ReplaceIndex):
            return replace(arg, arg=_push(outer, arg.arg))
        if isinstance(arg, Sum):
            return Sum(tuple(_push(outer, a) for a in arg.args))
        if isinstance(arg, Scale):
            return _push(Scale(float(np.float32(outer.scale) * np.float32(arg.scale)), arg.arg), arg.arg)
        if not isinstance(arg, NodeRef):
            raise KaldiError(f"Scale cannot stand around {arg}: put it inside")
        return Scale(outer.scale, arg)
    if isinstance(outer, Offset):
        if isinstance(arg, Offset):
            return _push(replace(outer, t=outer.t + arg.t, x=outer.x + arg.x), arg.arg)
        if outer.t == 0 and outer.x == 0:
            return arg
    if isinstance(arg, Sum | Failover | IfDefined):
        return arg.with_children(tuple(_push(outer, child) for child in arg.children()))
    if isinstance(arg, Const):
        raise KaldiError(f"Const appeared too deep in an expression: {type(outer).__name__}({arg})")
    return outer.with_children((arg,))

"""The text of FSTs in tables, whatever their weights are (fstext/kaldi-fst-io-inl.h, ReadFstKaldi, WriteFstKaldi)."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, TypeVar

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.basic_io import format_float
from kaldi_bridge.io.text import encode, fields, shown

if TYPE_CHECKING:
    from kaldi_bridge.io.streams import InputStream

MAX_STATES = 1 << 31

W = TypeVar("W")


def read_arcs(
    stream: InputStream, weight_of: Callable[[bytes], W], one: W
) -> tuple[int, list[tuple[int, int, int, W, int]], dict[int, W]]:
    """Lines of "state next ilabel olabel [weight]" or "state [weight]" up to an empty one.

    The start state, that of the first line (-1: there are no lines); arcs as (state, ilabel, olabel, weight, next) in
    the order of the lines; and the final weights. ``weight_of`` raises ValueError for what is no weight; ``one``
    stands for a weight that is left out. Raises KaldiError for other lines, and for states with numbers far beyond that
    of lines.
    """
    arcs: list[tuple[int, int, int, W, int]] = []
    finals: dict[int, W] = {}
    start = -1
    while words := fields(line := stream.readline()):
        try:
            numbers = [int(w) for w in words[: 4 if len(words) >= 4 else 1]]
            weight = weight_of(words[-1]) if len(words) in (2, 5) else one
        except ValueError:
            numbers = []
        if len(words) not in (1, 2, 4, 5) or not numbers or min(numbers) < 0 or max(numbers) >= MAX_STATES - 1:
            raise KaldiError(f"{stream.where()}: bad line in a text FST: {shown(line)}")
        if start == -1:
            start = numbers[0]
        if len(numbers) == 4:
            arcs.append((numbers[0], numbers[2], numbers[3], weight, numbers[1]))
        else:
            finals[numbers[0]] = weight
    top = max([start, *finals, *(max(a[0], a[4]) for a in arcs)])
    if top > 10 * (len(arcs) + len(finals)) + 1000:
        raise KaldiError(f"{stream.where()}: a text FST of {len(arcs)} arcs names a state {top}")
    return start, arcs, finals


def text_of(start: int, states: Iterable[tuple[list[tuple[int, int, str, int]], str | None]]) -> bytes:
    """As fstprint has it: the start state first; also states without arcs that are not final.

    Of each state its arcs (ilabel, olabel, text of the weight, next) and the text of its final weight, None where it is
    not final; the text is empty of a weight that is left out.
    """
    of_state = []
    for s, (arcs, final) in enumerate(states):
        lines = [f"{s}\t{target}\t{ilabel}\t{olabel}{_column(text)}\n" for ilabel, olabel, text, target in arcs]
        if final is not None:
            lines.append(f"{s}{_column(final)}\n")
        elif not arcs:
            lines.append(f"{s}\tInfinity\n")
        of_state.append("".join(lines))
    return encode("".join([of_state.pop(start), *of_state])) if start >= 0 else b""


def number_text(number: float) -> str:
    """A part of a weight, in as many digits as OpenFst gives it."""
    return "Infinity" if number == math.inf else format_float(number, 6)


def _column(text: str) -> str:
    return f"\t{text}" if text else ""

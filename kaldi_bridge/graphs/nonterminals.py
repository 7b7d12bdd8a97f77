"""Nonterminals: labels where one graph leads into another, and phones in context around them.

Graphs whose phones.txt ends in #nonterm_bos, #nonterm_begin, #nonterm_end, #nonterm_reenter and nonterminals of the
user's can be put together while decoding (fstext/grammar-context-fst.h, doc/grammar.dox). As a phone's context is the
phone before it, a graph has a way in for each phone that may come before, and its caller a way back for each phone
that it may end with: labels are pairs of a nonterminal and that phone.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.fsts.fst import Fst

BEGIN, END, REENTER, USER_DEFINED = 1, 2, 3, 4
FIRST_LABEL = 10_000_000
"""Labels from here on are pairs with a nonterminal; transition-ids are all smaller."""
_MEDIUM = 1000

Labels = list[list[int]]


class Nonterminals:
    """``offset``: the number of #nonterm_bos, which stands for no phone before."""

    def __init__(self, offset: int) -> None:
        if offset < 2:
            raise KaldiError(f"{offset} cannot be the number of #nonterm_bos in phones.txt")
        self.offset = offset
        self.multiple = _MEDIUM * ((offset + _MEDIUM) // _MEDIUM)

    def label(self, nonterminal: int, phone: int) -> int:
        """Of a nonterminal with a phone before it. Raises KaldiError where they are none."""
        if not (nonterminal > self.offset and 0 < phone <= self.offset):
            raise KaldiError(
                f"nonterminal {nonterminal} and phone {phone} do not go with --nonterm-phones-offset={self.offset}"
            )
        return FIRST_LABEL + nonterminal * self.multiple + phone

    def pair(self, label: int) -> tuple[int, int]:
        """(nonterminal, phone) of a label. Raises KaldiError."""
        nonterminal, phone = divmod(label - FIRST_LABEL, self.multiple)
        if not (nonterminal > self.offset and 0 < phone <= self.offset):
            raise KaldiError(f"label {label} does not go with --nonterm-phones-offset={self.offset}")
        return nonterminal, phone

    def kind(self, nonterminal: int) -> int:
        """BEGIN, END, REENTER or USER_DEFINED; 0 for #nonterm_bos."""
        return min(nonterminal - self.offset, USER_DEFINED)


def left_biphone_composed(fst: Fst, disambig: Collection[int], offset: int) -> tuple[Fst, Labels]:
    """The FST with phones in the context of the one before, and what its input labels mean.

    A label means what it does in ``window_labels``, or the negative of a nonterminal and the phone before or after it.
    Raises KaldiError where phones, disambiguation symbols and nonterminals overlap.
    """
    context = _Context(fst, disambig, offset)
    if fst.start < 0:
        return fst.changed(), context.labels
    states = [(0, fst.start)]  # (the phone before or a special state, a state of the FST)
    numbers = {states[0]: 0}
    arcs, finals = [], {}
    for s, (before, state) in enumerate(states):  # grows on the way
        final = float(fst.finals[state])
        if final != np.inf and context.is_final(before):
            finals[s] = final
        for ilabel, olabel, cost, target in fst.arcs_of(state).tolist():
            step = (0, before) if ilabel == 0 else context.step(before, ilabel)
            if step is None:
                continue
            label, after = step
            pair = after, target
            if pair not in numbers:
                numbers[pair] = len(states)
                states.append(pair)
            arcs.append((s, label, olabel, cost, numbers[pair]))
    made = Fst.from_arcs(0, finals, [*arcs]) if arcs or finals else Fst.from_arcs(0, {}, [])
    return fst.changed(start=0, finals=made.finals, offsets=made.offsets, arcs=made.arcs), context.labels


class _Context:
    """Which label a phone gets after another, and what comes after it: a phone, 0, or a special state."""

    def __init__(self, fst: Fst, disambig: Collection[int], offset: int) -> None:
        self.labels: Labels = [[]]
        self._numbers: dict[tuple[int, ...], int] = {(): 0}
        self._offset, self._disambig = offset, set(disambig)
        symbols = np.unique(fst.arcs["ilabel"]).tolist()
        self._phones = {s for s in symbols if 0 < s < offset} - self._disambig
        special = {offset + kind for kind in range(USER_DEFINED)}
        if special & self._disambig:
            raise KaldiError(f"a disambiguation symbol is among the nonterminals from {offset} on")

    def is_final(self, before: int) -> bool:
        return before == 0 or before in self._phones or before == self._offset + END

    def step(self, before: int, symbol: int) -> tuple[int, int] | None:
        """(label, what comes after); None where nothing can follow."""
        offset, is_phone = self._offset, symbol in self._phones
        if before in (offset + BEGIN, offset + USER_DEFINED):
            if not is_phone and symbol != offset:
                return None
            kind = BEGIN if before == offset + BEGIN else REENTER
            return self._label(-(offset + kind), symbol), 0 if symbol == offset else symbol
        if before == offset + END:
            return None
        if is_phone:
            return self._label(before, symbol), symbol
        if symbol in self._disambig:
            return self._label(-symbol), before
        if symbol == offset + BEGIN and before == 0:
            return 0, symbol
        if symbol == offset + END or symbol >= offset + USER_DEFINED:
            return self._label(-symbol, before or offset), min(symbol, offset + USER_DEFINED)
        return None

    def _label(self, *meaning: int) -> int:
        if meaning not in self._numbers:
            self._numbers[meaning] = len(self.labels)
            self.labels.append(list(meaning))
        return self._numbers[meaning]

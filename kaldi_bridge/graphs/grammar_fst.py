"""Graphs that lead into one another: prepared, put together, written (decoder/grammar-fst.cc).

A graph's arcs with labels of nonterminals (nonterminals.py) lead into other graphs and back. States that such arcs
leave have no other arcs, and where these leave the graph, a final cost of SPECIAL_COST as a mark.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.fsts.fst import Fst
from kaldi_bridge.graphs.nonterminals import BEGIN, END, FIRST_LABEL, REENTER, USER_DEFINED, Nonterminals
from kaldi_bridge.io import basic_io

if TYPE_CHECKING:
    from kaldi_bridge.io.streams import InputStream, OutputStream

SPECIAL_COST = 4096.0

Arc = tuple[int, int, float, int]  # input label, output label, cost, next state
Category = tuple[int, int, int]  # nonterminal (0: none), next state, output label of arcs that may leave one state


def prepared(fst: Fst, offset: int) -> Fst:
    """The graph with its states split so that each leads into one graph only, and marked.

    Raises KaldiError where the graph was not made for this.
    """
    if fst.start < 0:
        raise KaldiError("the FST has no states")
    work = _Preparation(fst, Nonterminals(offset))
    log.info(f"Added {len(work.arcs) - fst.num_states} new states while preparing for grammar FST.")
    flat = [(s, *arc) for s, arcs in enumerate(work.arcs) for arc in arcs]
    finals = np.array(work.finals, np.float32)
    made = Fst.from_arcs(fst.start, dict.fromkeys(range(len(finals)), np.inf), flat)
    return fst.changed(finals=finals, offsets=made.offsets, arcs=made.arcs)


class _Preparation:
    def __init__(self, fst: Fst, nonterminals: Nonterminals) -> None:
        self.arcs: list[list[Arc]] = [fst.arcs_of(s).tolist() for s in range(fst.num_states)]
        self.finals = fst.finals.tolist()
        self._nonterminals, self._start = nonterminals, fst.start
        self._plain_end = -1
        state = 0
        while state < len(self.arcs):  # more come on the way
            if any(arc[0] >= FIRST_LABEL for arc in self.arcs[state]):
                self._prepare(state)
            state += 1

    def _kind(self, arc: Arc) -> int:
        return self._nonterminals.kind(self._nonterminals.pair(arc[0])[0]) if arc[0] >= FIRST_LABEL else 0

    def _prepare(self, state: int) -> None:
        if self.finals[state] == SPECIAL_COST:
            log.warning("It looks like this FST was prepared for a grammar already.")
        self._check(state)
        categories = {self._category(arc) for arc in self.arcs[state]}
        if self.finals[state] != math.inf:
            categories.add((0, -1, 0))
        kinds = {self._kind(arc) for arc in self.arcs[state]}
        if len(categories) > 1 and kinds & {BEGIN, REENTER}:
            raise KaldiError("#nonterm_begin or #nonterm_reenter is on an arc beside others of another kind")
        if len(categories) > 1 or next(iter(categories))[2]:
            self._separate(state)
            return
        self._move_end_costs(state)
        if kinds & {END, USER_DEFINED}:
            self.finals[state] = SPECIAL_COST
        if state == self._start and BEGIN in kinds:
            self._determinize(state)

    def _check(self, state: int) -> None:
        for arc in self.arcs[state]:
            kind, after = self._kind(arc), arc[3]
            if kind == USER_DEFINED and not (self.arcs[after] and self._kind(self.arcs[after][0]) == REENTER):
                raise KaldiError("a nonterminal is not followed by #nonterm_reenter")
            if kind == BEGIN and state != self._start:
                raise KaldiError("#nonterm_begin is not at the start: was the graph made with fstdeterminizestar?")
            if kind == END and (self.arcs[after] or self.finals[after] == math.inf):
                raise KaldiError("#nonterm_end is not at the end")

    def _category(self, arc: Arc) -> Category:
        if arc[0] < FIRST_LABEL:
            return 0, -1, 0
        nonterminal, _ = self._nonterminals.pair(arc[0])
        kind = self._nonterminals.kind(nonterminal)
        return nonterminal, arc[3] if kind == USER_DEFINED else -1, arc[1] if kind in (END, USER_DEFINED) else 0

    def _new_state(self, final: float = math.inf) -> int:
        self.arcs.append([])
        self.finals.append(final)
        return len(self.arcs) - 1

    def _separate(self, state: int) -> None:
        """Arcs of each category leave from a new state, to which an arc without input label has their common cost."""
        costs: dict[Category, float] = {}
        states: dict[Category, int] = {}
        for arc in self.arcs[state]:
            category = self._category(arc)
            if category[0]:
                costs[category] = _log_sum(costs.get(category, math.inf), arc[2])
                if category not in states:
                    states[category] = self._new_state()
        kept = [arc for arc in self.arcs[state] if arc[0] < FIRST_LABEL]
        for ilabel, olabel, cost, after in self.arcs[state]:
            if ilabel >= FIRST_LABEL:
                category = self._category((ilabel, olabel, cost, after))
                rest = 0 if olabel == category[2] else olabel
                self.arcs[states[category]].append((ilabel, rest, cost - costs[category], after))
        self.arcs[state] = [(0, c[2], costs[c], states[c]) for c in sorted(states)] + kept

    def _move_end_costs(self, state: int) -> None:
        """The cost of the end that #nonterm_end leads to comes onto its arc."""
        for i, (ilabel, olabel, cost, after) in enumerate(self.arcs[state]):
            if self._kind(self.arcs[state][i]) == END and self.finals[after] != 0.0:
                if self._plain_end < 0:
                    self._plain_end = self._new_state(0.0)
                self.arcs[state][i] = (ilabel, olabel, cost + self.finals[after], self._plain_end)

    def _determinize(self, state: int) -> None:
        """Of arcs with the same input label only one remains, to a state that the others leave without it."""
        same: dict[int, list[Arc]] = {}
        for arc in self.arcs[state]:
            same.setdefault(arc[0], []).append(arc)
        arcs = []
        for ilabel, those in same.items():
            if len(those) > 1:
                total = math.inf
                for arc in those:
                    total = _log_sum(total, arc[2])
                new = self._new_state()
                self.arcs[new] = [(0, olabel, cost - total, after) for _, olabel, cost, after in those]
                those = [(ilabel, 0, total, new)]
            arcs += those
        self.arcs[state] = arcs


def _log_sum(a: float, b: float) -> float:
    low, high = min(a, b), max(a, b)
    return low if high == math.inf else low - math.log1p(math.exp(low - high))


def is_grammar_fst(stream: InputStream) -> bool:
    """Whether a GrammarFst follows, rather than a single FST."""
    return stream.peek(2) == b"\0B"


class GrammarFst:
    """A top graph and those of nonterminals, all prepared. Raises KaldiError where they do not go together."""

    def __init__(self, offset: int, top: Fst, others: Mapping[int, Fst]) -> None:
        self.nonterminals = Nonterminals(offset)
        self.top, self.others = top, dict(others)
        for nonterminal, fst in self.others.items():
            if self.nonterminals.kind(nonterminal) != USER_DEFINED or nonterminal <= offset:
                raise KaldiError(f"nonterminal {nonterminal} should be at least {offset + USER_DEFINED}")
            if fst.num_states:
                self._ways_in(fst, fst.start, BEGIN)

    def write(self, stream: OutputStream, fst_type: str = "const") -> None:
        """As Kaldi's GrammarFst objects; the graphs are of the type const, or vector."""
        basic_io.write_header(stream, True)
        basic_io.write_token(stream, True, "<GrammarFst>")
        for number in (1, len(self.others), self.nonterminals.offset):
            basic_io.write_int32(stream, True, number)
        self.top.write(stream, fst_type)
        for nonterminal, fst in self.others.items():
            basic_io.write_int32(stream, True, nonterminal)
            fst.write(stream, fst_type)
        basic_io.write_token(stream, True, "</GrammarFst>")

    @classmethod
    def read(cls, stream: InputStream) -> GrammarFst:
        """As make-grammar-fst writes it. Raises KaldiError."""
        binary = basic_io.read_header(stream)
        basic_io.expect_token(stream, binary, "<GrammarFst>")
        form, count, offset = (basic_io.read_int32(stream, binary) for _ in range(3))
        if form != 1:
            raise KaldiError(f"{stream.where()}: a GrammarFst of the unknown format {form}")
        top = Fst.read(stream)
        others: dict[int, Fst] = {}
        for _ in range(count):
            nonterminal = basic_io.read_int32(stream, binary)
            if nonterminal in others:
                raise KaldiError(f"{stream.where()}: nonterminal symbol {nonterminal} is paired with two FSTs.")
            others[nonterminal] = Fst.read(stream)
        basic_io.expect_token(stream, binary, "</GrammarFst>")
        return cls(offset, top, others)

    def _ways_in(self, fst: Fst, state: int, kind: int) -> dict[int, Arc]:
        """By the phone before, the arcs into a graph, or back into it."""
        ways: dict[int, Arc] = {}
        for arc in fst.arcs_of(state).tolist():
            if arc[0] <= FIRST_LABEL:
                raise KaldiError(
                    "a graph lacks #nonterm_begin and #nonterm_end, or a nonterminal lacks #nonterm_reenter"
                )
            nonterminal, phone = self.nonterminals.pair(arc[0])
            if self.nonterminals.kind(nonterminal) != kind or phone in ways:
                raise KaldiError(f"unexpected nonterminal {nonterminal}, phone {phone} on a way into a graph")
            ways[phone] = arc
        return ways

    def expanded(self) -> Fst:
        """One FST of all. It does not end where graphs lead into themselves."""
        copies: list[tuple[Fst, int, int]] = [
            (self.top, -1, -1)
        ]  # a graph, the copy it was entered from, where it returns
        entered: dict[tuple[int, int, int], int] = {}
        numbers = {(0, self.top.start): 0}
        waiting = [(0, self.top.start)]
        arcs, finals = [], {}

        def combined(leaving: Arc, ways: dict[int, Arc]) -> Arc:
            phone = self.nonterminals.pair(leaving[0])[1]
            if phone not in ways:
                raise KaldiError(f"there is no way on with phone {phone} before")
            _, olabel, cost, after = ways[phone]
            return 0, olabel, leaving[2] + cost - math.log(len(ways)), after

        def step(copy: int, arc: Arc) -> tuple[int, Arc] | None:
            nonterminal, _ = self.nonterminals.pair(arc[0])
            fst, parent, back = copies[copy]
            if self.nonterminals.kind(nonterminal) == END:
                if parent < 0:
                    raise KaldiError("#nonterm_end is in the top graph")
                return parent, combined(arc, self._ways_in(copies[parent][0], back, REENTER))
            if nonterminal not in self.others:
                raise KaldiError(f"there is no FST for nonterminal {nonterminal}")
            key = copy, nonterminal, arc[3]
            if key not in entered:
                self._ways_in(fst, arc[3], REENTER)
                entered[key] = len(copies)
                copies.append((self.others[nonterminal], copy, arc[3]))
            inner = self.others[nonterminal]
            return (entered[key], combined(arc, self._ways_in(inner, inner.start, BEGIN))) if inner.num_states else None

        while waiting:
            copy, state = place = waiting.pop()
            fst = copies[copy][0]
            final = float(fst.finals[state])
            if copy == 0 and final not in (SPECIAL_COST, math.inf):
                finals[numbers[place]] = final
            for arc in fst.arcs_of(state).tolist():
                made = step(copy, arc) if final == SPECIAL_COST else (copy, arc)
                if made is None:
                    continue
                into, (ilabel, olabel, cost, after) = made
                if (into, after) not in numbers:
                    numbers[into, after] = len(numbers)
                    waiting.append((into, after))
                arcs.append((numbers[place], ilabel, olabel, cost, numbers[into, after]))
        return Fst.from_arcs(0, finals, arcs)

"""Minimization of transducers, also into two, of which the second says what the first one means (fst/minimize.h)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.fsts.fst import Fst
from kaldi_bridge.fsts.label_pushing import Labels, Output, StringArc, in_rows, strings_pushed
from kaldi_bridge.fsts.openfst import OpenFst


class _Symbol(NamedTuple):
    """All that an arc has but its next state, or what an end has."""

    ilabel: int
    labels: Labels
    cost: float


def minimized_with_strings(fst: Fst, delta: float = 1e-6) -> tuple[Fst, Fst]:
    """The smallest FST whose output labels stand for strings, and one from these labels to the strings.

    Costs are rounded to multiples of ``delta``. Both composed are the FST given. Of an acceptor, the labels stay and
    the second FST is empty. Raises KaldiError where the FST is not deterministic.
    """
    if (fst.arcs["ilabel"] == fst.arcs["olabel"]).all() or fst.start < 0:
        return OpenFst.of(fst).minimized(delta, False).fst(), _nothing(fst)
    pairs = np.stack([fst.sources, fst.arcs["ilabel"]], axis=1)
    if len(np.unique(pairs, axis=0)) < len(pairs):
        raise KaldiError("Refusing to minimize a non-deterministic FST with allow_nondet = false")
    return _with_string_labels(fst, *_minimal(fst, delta, in_log=False))


def minimized_transducer(fst: Fst, delta: float = 1e-6, in_log: bool = False) -> Fst:
    """The smallest FST that is equivalent to a deterministic one, ``in_log``: in the log semiring."""
    if fst.start < 0:
        return fst.changed()
    minimal, symbols = _minimal(fst, delta, in_log)
    arcs: list[list[StringArc]] = []
    finals: list[Output | None] = []
    for state in range(minimal.num_states):
        ways = [(symbols[code - 1], target) for code, _, _, target in minimal.arcs_of(state).tolist()]
        is_end = [bool(np.isfinite(minimal.finals[target])) for _, target in ways]
        finals.append(next((symbol[1:] for (symbol, _), end in zip(ways, is_end, strict=True) if end), None))
        on = [way for way, end in zip(ways, is_end, strict=True) if not end]
        arcs.append([StringArc(symbol.ilabel, symbol.labels, symbol.cost, target) for symbol, target in on])
    return in_rows(fst, minimal.start, arcs, finals) if minimal.start >= 0 else _nothing(fst)


def _minimal(fst: Fst, delta: float, in_log: bool) -> tuple[Fst, list[_Symbol]]:
    """The smallest acceptor of symbols, of one end, and what each symbol, from 1 on, stands for."""
    start, arcs, finals = strings_pushed(fst, push_weights=True, in_log=in_log, delta=delta)
    numbers: dict[_Symbol, int] = {}

    def number(ilabel: int, labels: Labels, cost: float) -> int:
        rounded = float(np.floor(np.float32(cost) / np.float32(delta) + np.float32(0.5)) * np.float32(delta))
        return numbers.setdefault(_Symbol(ilabel, labels, rounded), len(numbers) + 1)

    end = len(arcs)
    coded = []
    for state, (out, final) in enumerate(zip(arcs, finals, strict=True)):
        codes = [(number(arc.ilabel, arc.labels, arc.cost), arc.nextstate) for arc in out]
        if final is not None:
            codes.append((number(0, *final), end))
        coded += [(state, code, code, 0.0, target) for code, target in codes]
    return OpenFst.of(Fst.from_arcs(start, {end: 0.0}, coded)).minimized(delta, True).fst(), list(numbers)


def _nothing(fst: Fst) -> Fst:
    return fst.changed(start=-1, finals=fst.finals[:0], offsets=fst.offsets[:1], arcs=fst.arcs[:0])


def _with_string_labels(fst: Fst, minimal: Fst, symbols: list[_Symbol]) -> tuple[Fst, Fst]:
    """What the minimal acceptor of symbols stands for."""
    if minimal.start < 0:
        return _nothing(fst), minimal
    labels: dict[Labels, int] = {(): 0}
    strings: list[tuple[int, int, int, float, int]] = []
    states = 1  # of the second FST

    def label(string: Labels) -> int:
        nonlocal states
        if string not in labels:
            labels[string] = len(labels)
            source, said = 0, labels[string]
            for place, symbol in enumerate(string):
                last = place + 1 == len(string)
                strings.append((source, said, symbol, 0.0, 0 if last else states))
                source, said, states = states, 0, states + (not last)
        return labels[string]

    end = int(np.flatnonzero(np.isfinite(minimal.finals))[0])  # the only one
    state_of = [state - (state > end) for state in range(minimal.num_states)]
    arcs, finals, said_at_end = [], {}, []
    for state in range(minimal.num_states):
        for code, _, _, target in minimal.arcs_of(state).tolist():
            symbol = symbols[code - 1]
            said = label(symbol.labels)
            if target != end:
                arcs.append((state_of[state], symbol.ilabel, said, symbol.cost, state_of[target]))
            elif said:
                said_at_end.append((state_of[state], 0, said, symbol.cost, minimal.num_states - 1))
            else:
                finals[state_of[state]] = symbol.cost
    if said_at_end:
        finals[minimal.num_states - 1] = 0.0
    first = Fst.from_arcs(state_of[minimal.start], finals, [*arcs, *said_at_end])
    second = Fst.from_arcs(0, {0: 0.0}, strings)
    made = [fst.changed(start=f.start, finals=f.finals, offsets=f.offsets, arcs=f.arcs) for f in (first, second)]
    return made[0], made[1]

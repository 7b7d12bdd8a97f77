"""Weighted acceptors: epsilon removal, reversal, pushing, minimization (OpenFst).

Epsilon is the label 0. Costs are negative log-probabilities; where several paths are one, the best counts.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Hashable, Iterable
from dataclasses import dataclass

import numpy as np

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.fsts.fst import Fst
from kaldi_bridge.fsts.fst_bodies import ARC
from kaldi_bridge.fsts.packed_acceptors import PackedAcceptor
from kaldi_bridge.fsts.weight_pushing import push_special

INFINITY = math.inf
Arc = tuple[int, float, int]
"""Label, cost, next state."""


@dataclass
class Acceptor:
    """``arcs`` and final costs (infinity: not final) by state."""

    start: int
    arcs: list[list[Arc]]
    finals: list[float]

    @classmethod
    def from_fst(cls, fst: Fst) -> Acceptor:
        """Raises KaldiError where input and output labels differ."""
        if not np.array_equal(fst.arcs["ilabel"], fst.arcs["olabel"]):
            raise KaldiError("the FST is no acceptor")
        return cls.of_input(fst)

    @classmethod
    def of_input(cls, fst: Fst) -> Acceptor:
        """The input side of a transducer."""
        columns = zip(
            fst.arcs["ilabel"].tolist(), fst.arcs["weight"].tolist(), fst.arcs["nextstate"].tolist(), strict=True
        )
        every = list(columns)
        offsets = fst.offsets.tolist()
        arcs = [every[offsets[s] : offsets[s + 1]] for s in range(fst.num_states)]
        return cls(int(fst.start), arcs, fst.finals.tolist())

    def to_fst(self) -> Fst:
        flat = [(label, label, cost, target) for arcs in self.arcs for label, cost, target in arcs]
        offsets = np.concatenate([[0], np.cumsum([len(arcs) for arcs in self.arcs])]).astype(np.int64)
        return Fst(self.start, np.array(self.finals, np.float32), offsets, np.array(flat, ARC))

    def packed(self) -> PackedAcceptor:
        return PackedAcceptor.of_lists(self.start, self.arcs, self.finals)

    @classmethod
    def unpacked(cls, packed: PackedAcceptor) -> Acceptor:
        return cls(*packed.to_lists())

    @property
    def num_states(self) -> int:
        return len(self.arcs)

    @property
    def num_arcs(self) -> int:
        return sum(map(len, self.arcs))

    def renumbered(self, order: list[int]) -> Acceptor:
        """With just these states, in this order; arcs to others are dropped."""
        number = {state: n for n, state in enumerate(order)}
        arcs = [[(label, cost, number[t]) for label, cost, t in self.arcs[s] if t in number] for s in order]
        return Acceptor(number.get(self.start, -1), arcs, [self.finals[s] for s in order])


def connected(a: Acceptor) -> Acceptor:
    """Only states on a path from the start to an end."""
    return Acceptor.unpacked(a.packed().connected())


def without_epsilons(a: Acceptor) -> Acceptor:
    """An acceptor of the same paths without label 0; arcs alike are one."""
    return Acceptor.unpacked(a.packed().without_epsilons())


def pushed_to_start(a: Acceptor) -> Acceptor:
    """Costs moved towards the start so that every state's best way on costs nothing; the best path costs nothing.

    Raises KaldiError where there is a cycle.
    """
    return Acceptor.unpacked(a.packed().pushed_to_start())


def reversed_acceptor(a: Acceptor) -> Acceptor:
    """What it accepts, backwards: a new start state 0 has epsilons to what were the final states."""
    arcs: list[list[Arc]] = [[(0, cost, s + 1) for s, cost in enumerate(a.finals) if cost < INFINITY]]
    arcs += [[] for _ in a.arcs]
    for s, out in enumerate(a.arcs):
        for label, cost, target in out:
            arcs[target + 1].append((label, cost, s + 1))
    finals = [INFINITY] * len(arcs)
    finals[a.start + 1] = 0.0
    return Acceptor(0, arcs, finals)


def pushed(a: Acceptor, delta: float) -> Acceptor:
    """Costs moved along the paths so that the probabilities out of all states have the same sum."""
    return Acceptor.from_fst(push_special(a.to_fst(), delta))


def minimized(a: Acceptor, delta: float) -> Acceptor:
    """States with the same arcs and final costs, to within ``delta``, are one; no cost is moved.

    States are alike that have arcs of the same labels and costs to states that are alike (Moore's algorithm). As with
    OpenFst, states whose arcs have another order are taken apart from the beginning: a little larger than the smallest,
    but then of the very size that Kaldi's graphs have.
    """
    a = connected(_quantized(a, delta))
    codes: dict[tuple[int, float], int] = {}
    coded: list[list[tuple[int, int]]] = []
    for arcs, final in zip(a.arcs, a.finals, strict=True):
        row = [(codes.setdefault((label, cost), len(codes)), target) for label, cost, target in arcs]
        if final < INFINITY:
            row.append((codes.setdefault((-1, final), len(codes)), -1))
        coded.append(row)
    classes = _numbered([tuple(code for code, _ in itertools.groupby(code for code, _ in row)) for row in coded])
    count = 0
    while count != len(set(classes)):
        count = len(set(classes))
        signatures: list[Hashable] = []
        for own, row in zip(classes, coded, strict=True):
            signatures.append((own, frozenset((code, classes[t] if t >= 0 else -1) for code, t in row)))
        classes = _numbered(signatures)
    kept = {number: state for state, number in enumerate(classes)}  # the last one of each class
    order = {number: n for n, number in enumerate(sorted(kept, key=kept.__getitem__))}
    label_of = {code: label for label, code in codes.items()}
    arcs_of = []
    for number in order:
        row = sorted({(code, order[classes[t]]) for code, t in coded[kept[number]] if t >= 0})
        arcs_of.append([(*label_of[code], target) for code, target in row])
    return Acceptor(order[classes[a.start]], arcs_of, [a.finals[kept[number]] for number in order])


def _numbered(values: Iterable[Hashable]) -> list[int]:
    """Equal values get the same number, in the order of their first occurrence."""
    numbers: dict[Hashable, int] = {}
    return [numbers.setdefault(value, len(numbers)) for value in values]


def _quantized(a: Acceptor, delta: float) -> Acceptor:
    def rounded(cost: float) -> float:
        return math.floor(cost / delta + 0.5) * delta if math.isfinite(cost) else cost

    arcs = [[(label, rounded(cost), t) for label, cost, t in out] for out in a.arcs]
    return Acceptor(a.start, arcs, [rounded(cost) for cost in a.finals])

"""Which values must be computed at which times, given the inputs that exist and the outputs that are wanted.

What nnet-computation-graph.cc of Kaldi finds index by index is found here for whole sets of times:

1. *demand*, from the outputs back: everything that a demanded value might read;
2. *computability*, forward: the least fixpoint of "all that it requires is computable" (IfDefined requires nothing,
   Failover one of two, components what their ``Taps`` say);
3. *need*, from the outputs back again, now only along what is really used.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from kaldi_bridge.errors import KaldiError
from nnet3_compat.structure.graph import Either, Expression, Graph, Leaf, Optional, Select, Sum, Value
from nnet3_compat.structure.timeset import Shift, Universe


def _preimage(u: Universe, leaf: Leaf, have: list[int]) -> int:
    """Where (in the reader's time) the leaf can be read."""
    members = have[leaf.source]
    for m in reversed(leaf.maps):
        members = m.preimage(u, members)
    return members


def _image(u: Universe, leaf: Leaf, at: int) -> int:
    """The times of the source that the leaf reads for the reader's times ``at``."""
    for m in leaf.maps:
        at = m.image(u, at)
    return at


def _computable(u: Universe, e: Expression, have: list[int]) -> int:
    if isinstance(e, Leaf):
        return _preimage(u, e, have)
    if isinstance(e, Sum):
        out = u.full
        for arg in e.args:
            out &= _computable(u, arg, have)
        return out
    if isinstance(e, Either):
        return _computable(u, e.first, have) | _computable(u, e.second, have)
    if isinstance(e, Select):
        out = 0
        for leaf in e.leaves:
            out |= _preimage(u, leaf, have)
        return out
    return u.full  # Optional, Const


def _value_computable(u: Universe, v: Value, have: list[int]) -> int:
    out = u.full
    for _, part in v.parts:
        out &= _computable(u, part, have)
    rule = v.tap_rule
    if rule is None:
        for leaf in v.taps:
            out &= _preimage(u, leaf, have)
        return out
    if rule.multiple_of > 1:
        out &= u.residue(rule.multiple_of, 0)
    some = 0
    for k, leaf in enumerate(v.taps):
        if rule.required[k]:
            out &= _preimage(u, leaf, have)
        elif rule.any_of:
            some |= _preimage(u, leaf, have)
    return out & some if rule.any_of else out


@dataclass
class Plan:
    """The answer: times per value, and per leaf the reader's times at which it is used.

    ``have`` is what is or can be computed, ``known`` what was computed before and so is not needed again, ``demand``
    all that was asked for.
    ``choices`` tells, for each place where an optional input may or may not be found (IfDefined, Failover, optional
    taps), whether it was found at "all" times, at "none", at "some", or never asked for ("unused").
    """

    graph: Graph
    universe: Universe
    need: list[int]
    used: dict[int, int]  # id(leaf) -> set of the reader's times
    have: list[int]
    known: list[int]
    demand: list[int]
    choices: list[str] = field(default_factory=list)

    def times(self, value: int) -> np.ndarray:
        """The times at which a value is computed, increasing (int64)."""
        return self.universe.times(self.need[value])


def reach(graph: Graph) -> int:
    """A bound on how far from outputs and inputs any value of interest may lie."""
    total = 0
    for v in graph.values:
        total += max((sum(abs(m.offset) for m in leaf.maps if isinstance(m, Shift)) for leaf in v.leaves()), default=0)
        total += max((getattr(m, "modulus", 0) for leaf in v.leaves() for m in leaf.maps), default=0)
    return min(total, 20000)


def bounds(graph: Graph, inputs: dict[str, tuple[int, int]]) -> list[tuple[float, float]]:
    """Per value an interval outside which it is certainly not computable; keeps recurrences from going on for ever."""
    limits: list[tuple[float, float]] = [(-np.inf, np.inf)] * len(graph.values)
    for i, v in enumerate(graph.values):
        if v.is_input:
            limits[i] = inputs.get(v.node, (np.inf, -np.inf)) if v.x == 0 else (np.inf, -np.inf)

    def of_leaf(leaf: Leaf) -> tuple[float, float]:
        low, high = limits[leaf.source]
        for m in reversed(leaf.maps):
            if low > high:
                break
            low, high = m.bounds(low, high)
        return low, high

    def hull(intervals: Iterable[tuple[float, float]]) -> tuple[float, float]:
        real = [i for i in intervals if i[0] <= i[1]]
        return (min(i[0] for i in real), max(i[1] for i in real)) if real else (np.inf, -np.inf)

    def of(e: Expression) -> tuple[float, float]:
        if isinstance(e, Leaf):
            return of_leaf(e)
        if isinstance(e, Sum):
            each = [of(arg) for arg in e.args]
            return max(i[0] for i in each), min(i[1] for i in each)
        if isinstance(e, Either):
            return hull([of(e.first), of(e.second)])
        if isinstance(e, Select):
            return hull([of_leaf(leaf) for leaf in e.leaves])
        return -np.inf, np.inf

    for group in graph.groups:
        for _ in range(2 * len(group.members)):
            before = [limits[i] for i in group.members]
            for i in group.members:
                v = graph.values[i]
                if v.is_input:
                    continue
                each = [of(part) for _, part in v.parts]
                if v.tap_rule is None:
                    each += [of_leaf(leaf) for leaf in v.taps]
                else:
                    each += [of_leaf(v.taps[k]) for k, r in enumerate(v.tap_rule.required) if r]
                    if v.tap_rule.any_of:
                        each.append(hull([of_leaf(leaf) for leaf in v.taps]))
                if each:
                    limits[i] = max(b[0] for b in each), min(b[1] for b in each)
            if group.direction == 0 or before == [limits[i] for i in group.members]:
                break
    return limits


def make_plan(
    graph: Graph,
    outputs: dict[str, np.ndarray],
    inputs: dict[str, np.ndarray],
    partial: bool = False,
    margin: int | None = None,
    known: list[np.ndarray] | None = None,
) -> Plan:
    """Plans a computation.

    Args:
        graph: from build_graph, with all the names in ``outputs``.
        outputs: wanted times per output node.
        inputs: times at which each input node is given.
        partial: accept that some outputs cannot be computed (then ``Plan.have`` tells which can).
        known: per value, times at which it is there from an earlier computation, inputs included.
    Raises:
        KaldiError: an output frame cannot be computed from the given inputs.
    """
    values = graph.values
    before = known or [np.zeros(0, np.int64)] * len(values)
    every = [np.asarray(t, np.int64) for t in (*outputs.values(), *inputs.values(), *before) if len(t)]
    if not every:
        raise KaldiError("a computation needs at least one input and one output frame")
    margin = reach(graph) if margin is None else margin
    low, high = int(min(t.min() for t in every)) - margin, int(max(t.max() for t in every)) + margin
    u = Universe(low, high - low + 1)
    there = [u.from_times(t) for t in before]
    given = {
        name: np.concatenate([before[graph.inputs[name]], np.asarray(t, np.int64)])
        for name, t in inputs.items()
        if name in graph.inputs
    }
    ranges = {name: (int(np.min(t)), int(np.max(t))) for name, t in given.items() if len(t)}
    limit = [
        0 if not lo <= hi else u.interval(int(max(lo, low)), int(min(hi, high))) for lo, hi in bounds(graph, ranges)
    ]

    demand = [0] * len(values)
    wanted = [0] * len(values)
    for name, times in outputs.items():
        wanted[graph.outputs[name]] = u.from_times(times)
    demand[:] = wanted
    for group in reversed(graph.groups):
        changed = True
        while changed:
            changed = False
            for i in reversed(group.members):
                at = demand[i] & limit[i] & ~there[i]
                for leaf in values[i].leaves() if at else ():
                    more = demand[leaf.source] | _image(u, leaf, at)
                    if more != demand[leaf.source]:
                        demand[leaf.source] = more
                        changed = group.direction != 0
    have = there.copy()
    for name, times in inputs.items():
        if name in graph.inputs:
            i = graph.inputs[name]
            have[i] |= u.from_times(times) & demand[i]
    for group in graph.groups:
        changed = True
        while changed:
            changed = False
            for i in group.members:
                if values[i].is_input:
                    continue
                now = (_value_computable(u, values[i], have) & demand[i] & limit[i]) | there[i]
                if now != have[i]:
                    have[i], changed = now, group.direction != 0
    plan = Plan(graph, u, [0] * len(values), {}, have, there, demand)
    for name in outputs:
        i = graph.outputs[name]
        missing = wanted[i] & ~have[i]
        if missing and not partial:
            t = int(u.times(missing)[0])
            raise KaldiError(f"output node {name} cannot be computed at frame {t} from the input frames that are given")
        plan.need[i] = wanted[i] & have[i] & ~there[i]
    _prune(plan)
    return plan


def _prune(plan: Plan) -> None:
    u, have, need, values = plan.universe, plan.have, plan.need, plan.graph.values
    known = plan.known

    def use_leaf(leaf: Leaf, at: int) -> None:
        plan.used[id(leaf)] = at
        need[leaf.source] |= _image(u, leaf, at) & ~known[leaf.source]

    def use(e: Expression, at: int) -> None:
        if isinstance(e, Leaf):
            use_leaf(e, at)
        elif isinstance(e, Sum):
            for arg in e.args:
                use(arg, at)
        elif isinstance(e, Either):
            first = _computable(u, e.first, have) & at
            use(e.first, first)
            use(e.second, at & ~first)
        elif isinstance(e, Select):
            for leaf in e.leaves:
                use_leaf(leaf, _preimage(u, leaf, have) & at)
        elif isinstance(e, Optional):
            use(e.arg, _computable(u, e.arg, have) & at)

    for group in reversed(plan.graph.groups):
        changed = True
        while changed:
            before = [need[i] for i in group.members]
            for i in reversed(group.members):
                v = values[i]
                for _, part in v.parts:
                    use(part, need[i])
                for leaf in v.taps:
                    use_leaf(leaf, _preimage(u, leaf, have) & need[i])
            changed = group.direction != 0 and before != [need[i] for i in group.members]
    for v, at in zip(values, need, strict=True):
        for _, part in v.parts:
            _note_choices(plan, part, at)
        if v.tap_rule is not None and not all(v.tap_rule.required):
            for leaf in v.taps:
                _note(plan, at, plan.used[id(leaf)])


def _note(plan: Plan, at: int, found: int) -> None:
    plan.choices.append("unused" if not at else "all" if found == at else "some" if found else "none")


def _note_choices(plan: Plan, e: Expression, at: int) -> None:
    u, have = plan.universe, plan.have
    if isinstance(e, Sum):
        for arg in e.args:
            _note_choices(plan, arg, at)
    elif isinstance(e, Either):
        first = _computable(u, e.first, have) & at
        _note(plan, at, first)
        _note_choices(plan, e.first, first)
        _note_choices(plan, e.second, at & ~first)
    elif isinstance(e, Optional):
        found = _computable(u, e.arg, have) & at
        _note(plan, at, found)
        _note_choices(plan, e.arg, found)

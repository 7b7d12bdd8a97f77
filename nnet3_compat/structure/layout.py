"""A plan as lists of integers: which rows of which tensor each step of the executor reads.

Every value is a tensor [rows, N, dim] whose rows are its times in increasing order. A *leaf* of the graph then reads
rows of its source into rows of its reader; rows that it does not fill are zero. Written as integers:

    [n, (to, to_step, from, from_step, count) * n]      n arithmetic progressions, or
    [-1, count, to_1, ..., to_count, from_1, ..., from_count]      where no few progressions will do.

The spec of a single value is ``[rows, leaf, leaf, ...]`` in the order of ``Value.leaves()``; an input has one leaf,
into the tensor that the caller gives. The spec of a recurrence is

    [block_rows, blocks, direction, per member: its valid rows, then its leaves]

where the valid rows are ``first, end``, or, where they are scattered, ``-1, count`` and a leaf that reads them; a leaf
from outside is as above, into ``block_rows * blocks`` rows, and a leaf from inside is the number of blocks
that it looks back (direction -1) or ahead (+1).

Where an utterance is computed in segments (segments.py), the rows of a value are those that are carried over from
earlier segments, then its new ones. The spec of a recurrence then ends with the number of blocks before its first
one (after its last one) that are read, and per member a leaf that reads rows out of what is carried into all blocks.

A layout for training has one more leaf at the end of a spec for each value whose component wants to know times
(``Value.uses_times``): what it reads into each row, all those of a recurrence's blocks, is the time itself. Where only
derivatives at certain times count, it has one more spec, at the end: for each value the first row whose derivatives
count, and the row after the last one; of a recurrence these are rows of its blocks, as the valid rows are.

For a network whose plan is regular every integer is an affine function of the number of output frames, once that is
large enough and within a residue class (``LayoutTable``); then no planning is needed at run time, in an exported
archive least of all.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from kaldi_bridge.errors import KaldiError
from nnet3_compat.structure.graph import Either, Expression, Graph, Group, Leaf, Optional, Select, Sum, leaf_offset
from nnet3_compat.structure.plan import Plan, make_plan
from nnet3_compat.structure.request import Request
from nnet3_compat.structure.timeset import Only, RoundDown

Layout = list[list[int]]
MAX_PROGRESSIONS = 16


def encode_rows(to: np.ndarray, source: np.ndarray, classes: np.ndarray) -> list[int]:
    """Writes "row to[i] is row source[i]" as progressions, each within one of the ``classes``."""
    found: list[int] = []
    count = 0
    for c in np.unique(classes):
        at = np.flatnonzero(classes == c)
        turns = _turns(to[at], source[at])
        if turns > 1:
            for j in range(turns):
                i = at[j::turns]
                found += [
                    int(to[i[0]]),
                    int(to[i[1]] - to[i[0]]),
                    int(source[i[0]]),
                    int(source[i[1]] - source[i[0]]),
                    len(i),
                ]
            count += turns
            continue
        start = 0
        while start < len(at):
            i = at[start:]
            if len(i) == 1:
                length, steps = 1, (1, 1)
            else:
                d_to, d_from = np.diff(to[i]), np.diff(source[i])
                steps = (int(d_to[0]), int(d_from[0]))
                breaks = np.flatnonzero((d_to != steps[0]) | (d_from != steps[1]))
                length = int(breaks[0]) + 1 if len(breaks) else len(i)
                if length == 1 or steps[1] < 0:  # backwards: row by row
                    length, steps = 1, (1, 1)
            found += [int(to[i[0]]), steps[0], int(source[i[0]]), steps[1], length]
            start += length
            count += 1
            if count > MAX_PROGRESSIONS:
                return [-1, len(to), *to.tolist(), *source.tolist()]
    return [count, *found]


def leaf_size(spec: list[int], at: int) -> int:
    """The number of integers of the leaf that begins at ``spec[at]``."""
    return 2 + 2 * spec[at + 1] if spec[at] < 0 else 1 + 5 * spec[at]


def _turns(to: np.ndarray, source: np.ndarray) -> int:
    """How many progressions take turns: 1, or the smallest number of at least two rows each that covers all; else 0."""
    for k in range(1, MAX_PROGRESSIONS + 1):
        if len(to) < 2 * k + 1:
            break
        steps = [x[k:] - x[:-k] for x in (to, source)]
        if all(step[0] >= 0 and (step == step[0]).all() for step in steps):
            return k
    return 0


def _leaf_period(leaf: Leaf) -> int:
    return math.lcm(*(m.modulus for m in leaf.maps if isinstance(m, (Only, RoundDown))), 1)


def _encode_leaf(plan: Plan, leaf: Leaf, at: np.ndarray, rows: np.ndarray, source_times: np.ndarray) -> list[int]:
    """The leaf read at the times ``at``, which are the ``rows`` of the reader."""
    if not len(at):
        return [0]
    t = at
    for m in leaf.maps:
        t = m.apply(t)
    order = np.argsort(source_times, kind="stable")
    source = np.searchsorted(source_times[order], t)
    if len(source_times) == 0 or (source_times[order[np.minimum(source, len(order) - 1)]] != t).any():
        raise KaldiError("internal error: a plan reads a frame that it does not compute")
    return encode_rows(rows, order[source], at % _leaf_period(leaf))


def make_layout(
    plan: Plan,
    inputs: dict[str, np.ndarray],
    training: bool = False,
    deriv_times: tuple[int, int] | None = None,
    carried: list[np.ndarray] | None = None,
) -> Layout:
    """One spec per group of the graph.

    Args:
        inputs: the times of the rows that the caller will give, per input node.
        training: tell times, and also compute rows between those that are needed where Kaldi does
            (``Value.fills_gaps``): its natural gradient sees them (nnet3/convolution.cc, RegularizeTList).
        deriv_times: in training, the first and the last time at which derivatives count (nnet3/nnet-optimize.h,
            LimitDerivativeTimes).
        carried: where this is one of several segments, per value the times of the rows from earlier ones.
    """
    graph, values = plan.graph, plan.graph.values
    times = [plan.times(i) for i in range(len(values))]
    layout: Layout = []
    counting: list[int] = []
    for group in graph.groups:
        if group.direction != 0:
            layout.append(_recurrence_spec(plan, group, times, training, carried))
            if deriv_times:
                counting += _counting_rows_of_blocks(plan, group, deriv_times)
            continue
        i = group.members[0]
        filled = training and values[i].fills_gaps
        if filled:
            times[i] = _without_gaps(times[i])
        mine = times[i]
        spec = [len(mine)]
        if values[i].is_input:
            given = np.asarray(inputs.get(values[i].node, ()), np.int64)
            spec += _encode_leaf(plan, Leaf(i, (), 1.0), mine, np.arange(len(mine)), given)
        for leaf in values[i].leaves():
            at = _readable(leaf, mine, times[leaf.source]) if filled else plan.universe.times(plan.used[id(leaf)])
            spec += _encode_leaf(plan, leaf, at, np.searchsorted(mine, at), _rows_of(leaf.source, times, carried))
        if training and values[i].uses_times:
            spec += _encode_times(mine)
        layout.append(spec)
        if deriv_times:
            counting += _counting_rows(mine, deriv_times)
    if training and deriv_times:
        layout.append(counting)
    return layout


def _rows_of(value: int, times: list[np.ndarray], carried: list[np.ndarray] | None) -> np.ndarray:
    """The times of the rows of a value's tensor."""
    return times[value] if carried is None else np.concatenate([carried[value], times[value]])


def _counting_rows(times: np.ndarray, deriv_times: tuple[int, int]) -> list[int]:
    """First row, of those at ``times``, that is not before the first of ``deriv_times``; first one after the last."""
    first, last = deriv_times
    return [int(np.searchsorted(times, first)), int(np.searchsorted(times, last, "right"))]


def _counting_rows_of_blocks(plan: Plan, group: Group, deriv_times: tuple[int, int]) -> list[int]:
    grid = make_grid(plan, group)
    if grid is None:
        return [0, 0] * len(group.members)
    rows = grid.first + grid.step * np.arange(grid.block_rows * grid.blocks)
    return [row for v in group.members for row in _counting_rows(rows + group.potential[v], deriv_times)]


def _encode_times(times: np.ndarray) -> list[int]:
    """A leaf that reads the time of each row."""
    return encode_rows(np.arange(len(times)), times, np.zeros(len(times), np.int64))


def _without_gaps(times: np.ndarray) -> np.ndarray:
    """All times from the first to the last, at the largest distance that has those that are given."""
    if len(times) < 2:
        return times
    return np.arange(times[0], times[-1] + 1, math.gcd(*np.diff(times).tolist()))


def _readable(leaf: Leaf, at: np.ndarray, source_times: np.ndarray) -> np.ndarray:
    """Those of the times ``at`` at which there is something to read."""
    t = at
    for m in leaf.maps:
        t = m.apply(t)
    return at[np.isin(t, source_times)]


@dataclass(frozen=True)
class Grid:
    """The times of a recurrence: ``first + step * row`` plus the potential of the member, in blocks of rows."""

    first: int
    step: int
    block_rows: int
    blocks: int


def inner_leaves(graph: Graph, group: Group) -> list[tuple[int, Leaf, int]]:
    """(reader, leaf, delay after the shift by potentials) for the leaves of a recurrence that read its own members."""
    inside, p = set(group.members), group.potential
    out = []
    for v in group.members:
        for leaf in graph.values[v].leaves():
            if leaf.source in inside:
                out.append((v, leaf, (leaf_offset(leaf) or 0) - p[leaf.source] + p[v]))
    return out


def make_grid(plan: Plan, group: Group, whole_blocks: bool = False) -> Grid | None:
    """The grid on which the needed times of a recurrence lie; None when nothing of it is needed.

    ``whole_blocks``: blocks are as long as what is read in other blocks is away, also where there are fewer rows.
    """
    if group.direction is None:
        names = ", ".join(sorted({plan.graph.values[i].node for i in group.members})[:5])
        raise KaldiError(f"the recurrence through {names}, ... cannot be run in either direction of time")
    needed = [plan.times(i) - group.potential[i] for i in group.members]
    every = np.unique(np.concatenate(needed))
    if not len(every):
        return None
    delays = [abs(d) for _, leaf, d in inner_leaves(plan.graph, group) if d and plan.used[id(leaf)]]
    step = math.gcd(*(np.diff(every).tolist()), *delays) or 1
    rows = int(every[-1] - every[0]) // step + 1
    block = math.gcd(*(d // step for d in delays)) or rows
    block = block if whole_blocks else min(block, rows)
    return Grid(int(every[0]), step, block, -(-rows // block))


def _recurrence_spec(
    plan: Plan, group: Group, times: list[np.ndarray], training: bool, carried: list[np.ndarray] | None
) -> list[int]:
    values = plan.graph.values
    grid = make_grid(plan, group, whole_blocks=carried is not None)
    if grid is None:
        spec = [1, 0, group.direction or -1]
        for v in group.members:
            spec += [0, 0] + [0 for _ in values[v].leaves()]
        return spec if carried is None else spec + [0] * (1 + len(group.members))
    inside = set(group.members)
    delay = {id(leaf): d for _, leaf, d in inner_leaves(plan.graph, group)}
    before = 0
    if carried is not None and any(len(carried[v]) for v in group.members):
        read = [abs(d) for _, leaf, d in inner_leaves(plan.graph, group) if plan.used[id(leaf)]]
        before = max(read) // grid.step // grid.block_rows
    spec = [grid.block_rows, grid.blocks, group.direction or -1]
    for v in group.members:
        mine = times[v]
        origin = grid.first + group.potential[v]
        rows = (mine - origin) // grid.step
        if len(rows) and rows[-1] - rows[0] + 1 != len(rows):
            if carried is not None or _gaps_are_read(plan, group, v, delay):
                spec += [-1, len(rows), *encode_rows(np.arange(len(rows)), rows, rows % grid.block_rows)]
            else:  # what is computed between those that are needed does no harm
                rows = np.arange(rows[0], rows[-1] + 1)
                times[v] = origin + rows * grid.step
        if len(rows) == 0 or rows[-1] - rows[0] + 1 == len(rows):
            spec += [int(rows[0]), int(rows[-1]) + 1] if len(rows) else [0, 0]
        for leaf in values[v].leaves():
            at = plan.universe.times(plan.used[id(leaf)])
            if leaf.source in inside:
                never = delay[id(leaf)] != 0 and not len(at)  # before the first block: zero
                spec.append(before + grid.blocks if never else abs(delay[id(leaf)]) // grid.step // grid.block_rows)
            else:
                source_times = _rows_of(leaf.source, times, carried)
                spec += _encode_leaf(plan, leaf, at, (at - origin) // grid.step, source_times)
    if carried is not None:
        first = -before * grid.block_rows if spec[2] < 0 else 0
        rows = first + np.arange((before + grid.blocks) * grid.block_rows)
        spec.append(before)
        for v in group.members:
            every = grid.first + group.potential[v] + rows * grid.step
            to = np.flatnonzero(np.isin(every, carried[v]))
            spec += _encode_leaf(plan, Leaf(v, (), 1.0), every[to], to, carried[v])
    if training:
        rows = np.arange(grid.block_rows * grid.blocks)
        for v in group.members:
            if values[v].uses_times:
                spec += _encode_times(grid.first + group.potential[v] + rows * grid.step)
    return spec


def check_recurrence(graph: Graph, group: Group) -> None:
    """Raises KaldiError where a member chooses among values of the recurrence itself (Failover, Switch)."""
    inside = set(group.members)

    def check(e: Expression, node: str, choice: bool) -> None:
        if isinstance(e, Leaf):
            if choice and e.source in inside:
                raise KaldiError(f"node {node}: Failover or Switch within a recurrence is not supported")
        elif isinstance(e, Sum):
            for arg in e.args:
                check(arg, node, choice)
        elif isinstance(e, Either):
            check(e.first, node, True)
            check(e.second, node, True)
        elif isinstance(e, Select):
            for leaf in e.leaves:
                check(leaf, node, True)
        elif isinstance(e, Optional):
            check(e.arg, node, choice)

    for i in group.members:
        v = graph.values[i]
        if v.tap_rule is not None:
            raise KaldiError(f"node {v.node}: a component with time offsets within a recurrence is not supported")
        for _, part in v.parts:
            check(part, v.node, False)


def _gaps_are_read(plan: Plan, group: Group, member: int, delay: dict[int, int]) -> bool:
    """Whether a row that is not needed, and so not rightly computed, would be read in place of zeros."""
    needed = plan.times(member)
    for v in group.members:
        for leaf in plan.graph.values[v].leaves():
            if leaf.source != member or not delay.get(id(leaf)):
                continue
            unused = np.setdiff1d(plan.times(v), plan.universe.times(plan.used[id(leaf)]))
            for m in leaf.maps:
                unused = m.apply(unused)
            if ((unused > needed[0]) & (unused < needed[-1])).any():
                return True
    return False


@dataclass
class LayoutTable:
    """Layouts of a regular network for any number of output frames ``n >= minimum``, without planning.

    ``layout(n) = base[n % period] + slope[n % period] * (n // period)``, ``sizes`` cut the flat vector into specs.
    """

    period: int
    minimum: int
    sizes: list[int]
    base: np.ndarray  # [period, total] int64
    slope: np.ndarray  # [period, total] int64

    def layout(self, n: int) -> Layout:
        flat = (self.base[n % self.period] + self.slope[n % self.period] * (n // self.period)).tolist()
        out, at = [], 0
        for size in self.sizes:
            out.append(flat[at : at + size])
            at += size
        return out


def make_table(plan_for: Callable[[int], Layout], period: int, minimum: int) -> LayoutTable | None:
    """Fits a LayoutTable to ``plan_for(n)``; None where the layouts are not affine in n.

    Args:
        period: n and n + period have alike layouts.
        minimum: n from which on the layouts have settled; doubled a few times where they have not.
    """
    for _ in range(4):
        table = _fit(plan_for, period, minimum)
        if table is not None:
            return table
        minimum *= 2
    return None


def _fit(plan_for: Callable[[int], Layout], period: int, minimum: int) -> LayoutTable | None:
    bases, slopes = [], []
    sizes: list[int] | None = None
    first = -(-minimum // period)
    for residue in range(period):
        flats = []
        for q in (first, first + 1, first + 2, first + 7):
            layout = plan_for(q * period + residue)
            mine = [len(spec) for spec in layout]
            if sizes is None:
                sizes = mine
            if mine != sizes:
                return None
            flats.append(np.array([x for spec in layout for x in spec], np.int64))
        slope = flats[1] - flats[0]
        if (flats[2] != flats[1] + slope).any() or (flats[3] != flats[2] + 5 * slope).any():
            return None
        bases.append(flats[0] - slope * first)
        slopes.append(slope)
    return LayoutTable(period, first * period, sizes or [], np.stack(bases), np.stack(slopes))


def plan_layout(graph: Graph, request: Request) -> Layout:
    """Plan and layout in one. Raises KaldiError where an output cannot be computed from the inputs."""
    inputs = request.input_times()
    plan = make_plan(graph, request.output_times(), inputs)
    return make_layout(plan, inputs, request.training, request.deriv_times)

"""What each step of a network reads, for every number of output frames at once: layouts as tables.

The layouts (layout.py) for n = 1, 2, ... output frames fall into *classes*. Where layouts have settled, those of one
residue modulo the ``period`` are one class, within which every integer is affine in k = n // period; each shorter n is
a class of its own. A leaf is then a *pattern*: per class, progressions (to, to_step, from, from_step, count), affine in
k.

Sizes of tensors cannot depend on the class: a value gets as many rows, affine in k, as it has at most in any class.
What is in rows beyond those that a layout has is read by nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from kaldi_bridge.errors import KaldiError
from nnet3_compat.structure.graph import Graph, Group
from nnet3_compat.structure.layout import Layout, LayoutTable, leaf_size

Kind = Literal["nothing", "slice", "repeat", "pattern"]


@dataclass(frozen=True)
class Size:
    """``base + slope * k`` rows."""

    base: int
    slope: int


@dataclass(frozen=True)
class Read:
    """Rows of a source for all rows of a reader.

    Attributes:
        kind: ``nothing``: all rows are zero. ``slice``: the rows from ``first`` on. ``repeat``: row ``first`` again and
            again. ``pattern``: as the pattern says, -1 standing for a row that is zero.
        table, row: of the pattern.
        filled: no row is -1, of those that a layout has.
    """

    kind: Kind
    first: int = 0
    table: int = 0
    row: int = 0
    filled: bool = True


@dataclass
class PatternTable:
    """Patterns with equally many progressions.

    Attributes:
        base, slope: int64 [classes, patterns, progressions, 5]; the progressions are base + slope * k.
        size: rows of the longest reader.
    """

    base: np.ndarray
    slope: np.ndarray
    size: Size


@dataclass
class RecurrenceReads:
    """Of the members of a recurrence.

    Attributes:
        block_rows: rows of a block.
        blocks: their number.
        back: by (value, leaf) the number of blocks that a leaf from inside looks back; it is absent where it never
            finds one.
        masks: by value, where there are rows that are not computed and must read as zero: 1 for all others.
        results: by value, the rows of the value in those of the blocks.
    """

    block_rows: int
    blocks: Size
    back: dict[tuple[int, int], int] = field(default_factory=dict)
    masks: dict[int, Read] = field(default_factory=dict)
    results: dict[int, Read] = field(default_factory=dict)

    @property
    def total(self) -> Size:
        """Rows of all blocks."""
        return Size(self.block_rows * self.blocks.base, self.block_rows * self.blocks.slope)


@dataclass
class Lengths:
    """See the top of this file.

    Attributes:
        minimum: n below it are classes of their own: class n - 1. The others are ``minimum - 1 + n % period``.
        sizes: per value its rows.
        reads: by (value, leaf).
        recurrences: by group.
    """

    period: int
    minimum: int
    classes: int
    sizes: list[Size]
    reads: dict[tuple[int, int], Read]
    recurrences: dict[int, RecurrenceReads]
    tables: list[PatternTable]


def one_layout(layout: Layout) -> LayoutTable:
    """The table of a layout that is wanted alone, whatever the number of outputs."""
    flat = np.array([[number for spec in layout for number in spec]], np.int64)
    return LayoutTable(1, 1, [len(spec) for spec in layout], flat, np.zeros_like(flat))


def make_lengths(
    graph: Graph, table: LayoutTable, layout_of: Callable[[int], Layout], given: dict[str, Size] | None = None
) -> Lengths:
    """For every n.

    Args:
        table: of the network's layouts.
        layout_of: the layout for n output frames.
        given: rows of the inputs. With it, only multiples of the period, not below the minimum, are wanted.

    Raises:
        KaldiError: a short utterance is computed in other blocks than longer ones.
    """
    period, first = table.period, table.minimum // table.period
    main = _Parsed(graph, table.layout(first * period), {})
    blocks = {g: rows for g, (rows, _) in main.grids.items()}
    classes: list[_Class] = []
    if given is None:
        for n in range(1, table.minimum):
            parsed = _Parsed(graph, layout_of(n), blocks)
            classes.append(_Class(parsed, parsed, 0, n // period))
    for residue in range(period if given is None else 1):
        one, two = (_Parsed(graph, table.layout((first + q) * period + residue), blocks) for q in (0, 1))
        classes.append(_Class(one, two, first, first))
    return _Fit(graph, classes, min(c.least for c in classes), given or {}).lengths(period, table.minimum)


class _Parsed:
    """One layout, leaf by leaf: the progressions int64 [n, 5] and the number of rows that they are read into.

    Attributes:
        rows: per value.
        leaves: by (value, leaf); those of recurrences from outside are read into the rows of their blocks.
        back: by (value, leaf), blocks back, of leaves from inside a recurrence that ever find one.
        grids: by group, rows of a block and blocks.
        masks, results: by value of a recurrence; see RecurrenceReads.
    """

    def __init__(self, graph: Graph, layout: Layout, block_rows: dict[int, int]) -> None:
        """``block_rows``: per recurrence the rows of a block that it is to have, where that is known."""
        self.rows = [0] * len(graph.values)
        self.leaves: dict[tuple[int, int], tuple[np.ndarray, int]] = {}
        self.back: dict[tuple[int, int], int] = {}
        self.grids: dict[int, tuple[int, int]] = {}
        self.masks: dict[int, tuple[np.ndarray, int]] = {}
        self.results: dict[int, tuple[np.ndarray, int]] = {}
        for g, (group, spec) in enumerate(zip(graph.groups, layout, strict=True)):
            if group.direction != 0:
                self._recurrence(graph, g, group, spec, block_rows.get(g))
                continue
            i, at = group.members[0], 1
            self.rows[i] = spec[0]
            for j in range(1 if graph.values[i].is_input else len(graph.values[i].leaves())):
                made, at = _progressions(spec, at)
                self.leaves[i, j] = made, spec[0]

    def _recurrence(self, graph: Graph, g: int, group: Group, spec: list[int], block_rows: int | None) -> None:
        rows, blocks, at = spec[0], spec[1], 3
        apart = 1  # rows of the blocks that are wanted between two of this layout, which has only every so manieth
        if block_rows is not None and rows != block_rows:
            if blocks > 1 and block_rows % rows:
                raise KaldiError("a recurrence of this network runs in other blocks where an utterance is short")
            apart = block_rows // rows if blocks > 1 else 1
            rows = block_rows
        self.grids[g] = rows, blocks
        inside = set(group.members)
        for i in group.members:
            first, end = spec[at], spec[at + 1]
            if first < 0:
                self.rows[i] = end
                result, at = _progressions(spec, at + 2)
            else:
                self.rows[i] = end - first
                result, at = _one(0, 1, first, 1, end - first), at + 2
            self.results[i] = result * [1, 1, apart, apart, 1], self.rows[i]
            self.masks[i] = self.results[i][0][:, [2, 3, 0, 1, 4]], rows * blocks
            for j, leaf in enumerate(graph.values[i].leaves()):
                if leaf.source not in inside:
                    made, at = _progressions(spec, at)
                    self.leaves[i, j] = made * [apart, apart, 1, 1, 1], rows * blocks
                    continue
                if spec[at] < blocks:
                    self.back[i, j] = spec[at]
                at += 1


def _one(*progression: int) -> np.ndarray:
    return np.array([progression] if progression[-1] > 0 else [], np.int64).reshape(-1, 5)


def _progressions(spec: list[int], at: int) -> tuple[np.ndarray, int]:
    """The leaf at ``spec[at]``, and where the next one begins."""
    end = at + leaf_size(spec, at)
    if spec[at] < 0:
        to, source = np.array(spec[at + 2 : end], np.int64).reshape(2, -1)
        one = np.ones_like(to)
        return np.stack([to, one, source, one, one], axis=1), end
    return np.array(spec[at + 1 : end], np.int64).reshape(-1, 5), end


@dataclass
class _Class:
    """Layouts for k = ``at`` and at + 1, the same where they do not depend on k; ``least``: its smallest k."""

    one: _Parsed
    two: _Parsed
    at: int
    least: int

    def affine(self, get: Callable[[_Parsed], np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        """Base and slope of numbers of a layout."""
        one, two = get(self.one), get(self.two)
        return one - (two - one) * self.at, two - one


Leaves = Callable[[_Parsed], tuple[np.ndarray, int]]


def _rows_of(i: int) -> Callable[[_Parsed], int]:
    return lambda parsed: parsed.rows[i]


def _leaf_of(i: int, j: int) -> Leaves:
    return lambda parsed: parsed.leaves[i, j]


def _result_of(i: int) -> Leaves:
    return lambda parsed: parsed.results[i]


def _mask_of(i: int) -> Leaves:
    return lambda parsed: parsed.masks[i]


class _Fit:
    """Sizes, reads and tables out of the classes; ``least``: the smallest k of all."""

    def __init__(self, graph: Graph, classes: list[_Class], least: int, given: dict[str, Size]) -> None:
        self._graph, self._classes, self._least, self._given = graph, classes, least, given
        self._tables: dict[int, list[tuple[np.ndarray, np.ndarray]]] = {}  # by number of progressions
        self._sizes: dict[int, Size] = {}
        self._rows_of: dict[tuple[int, bytes], int] = {}

    def lengths(self, period: int, minimum: int) -> Lengths:
        graph = self._graph
        sizes = [self._size(_rows_of(i)) for i in range(len(graph.values))]
        reads: dict[tuple[int, int], Read] = {}
        recurrences: dict[int, RecurrenceReads] = {}
        for g, group in enumerate(graph.groups):
            total = None
            if group.direction != 0:
                recurrences[g] = self._recurrence(g, group, sizes)
                total = recurrences[g].total
            for i in group.members:
                into = total or sizes[i]
                if graph.values[i].is_input:
                    reads[i, 0] = self._read(_leaf_of(i, 0), into, self._given.get(graph.values[i].node))
                for j, leaf in enumerate(graph.values[i].leaves()):
                    if (i, j) in self._classes[-1].one.leaves:
                        reads[i, j] = self._read(_leaf_of(i, j), into, sizes[leaf.source])
        keys = sorted(self._tables)
        tables = []
        for key in keys:
            base, slope = (np.stack([pair[x] for pair in self._tables[key]], axis=1) for x in (0, 1))
            tables.append(PatternTable(base, slope, self._sizes[key]))
        number = {key: t for t, key in enumerate(keys)}

        def numbered(read: Read) -> Read:
            return replace(read, table=number[read.table]) if read.kind == "pattern" else read

        for made in recurrences.values():
            made.masks = {i: numbered(read) for i, read in made.masks.items()}
            made.results = {i: numbered(read) for i, read in made.results.items()}
        reads = {key: numbered(read) for key, read in reads.items()}
        return Lengths(period, minimum, len(self._classes), sizes, reads, recurrences, tables)

    def _recurrence(self, g: int, group: Group, sizes: list[Size]) -> RecurrenceReads:
        main = self._classes[-1].one
        rows = main.grids[g][0]
        blocks = self._size(lambda p: p.grids[g][1])
        made = RecurrenceReads(rows, blocks)
        for i in group.members:
            for j in range(len(self._graph.values[i].leaves())):
                found = {c.one.back[i, j] for c in self._classes if (i, j) in c.one.back}
                if len(found) > 1:
                    raise KaldiError("a recurrence of this network looks back otherwise where an utterance is short")
                if found:
                    made.back[i, j] = found.pop()
            made.results[i] = self._read(_result_of(i), sizes[i], made.total)
            masks = self._read(_mask_of(i), made.total, None)
            if masks.kind != "nothing" and group.direction == 1:  # begins with rows that may be there for others only
                masks = self._pattern(self._every(_mask_of(i)), made.total, filled=False)
            if masks.kind == "nothing" or not masks.filled:
                made.masks[i] = masks
        return made

    def _size(self, rows: Callable[[_Parsed], int]) -> Size:
        base, slope = (int(x) for x in self._classes[-1].affine(lambda p: np.asarray(rows(p))))
        for c in self._classes:
            if c.one is c.two:
                base = max(base, rows(c.one) - slope * c.least)
            else:
                mine = c.affine(lambda p: np.asarray(rows(p)))
                if int(mine[1]) != slope:
                    raise KaldiError("the frames of this network grow in no regular way with an utterance")
                base = max(base, int(mine[0]))
        if slope:  # one row is a special number: tensors of it spread
            base = max(base, 2 - slope * self._least)
        return Size(base, slope)

    def _read(self, get: Leaves, into: Size, source: Size | None) -> Read:
        every = self._every(get)
        rows = [c.affine(lambda p: np.asarray(get(p)[1])) for c in self._classes]
        if not any(len(base) for base, _ in every):
            return Read("nothing")
        filled = all(
            int(base[:, 4].sum()) == int(n) and int(slope[:, 4].sum()) == int(more)
            for (base, slope), (n, more) in zip(every, rows, strict=True)
        )
        simple = self._simple(every, into, source) if filled else None
        return simple or self._pattern(every, into, filled)

    def _every(self, get: Leaves) -> list[tuple[np.ndarray, np.ndarray]]:
        """Per class, base and slope of progressions."""
        return [c.affine(lambda p: get(p)[0]) for c in self._classes]

    def _simple(self, every: list[tuple[np.ndarray, np.ndarray]], into: Size, source: Size | None) -> Read | None:
        """Where in all classes it is one progression from a row that is the same in all."""
        used = [(base[0], slope[0]) for base, slope in every if len(base)]
        if any(len(base) > 1 for base, _ in every) or any(base[0] or slope[0] for base, slope in used):
            return None
        if len({int(base[2]) for base, _ in used}) > 1 or any(slope[2] for _, slope in used):
            return None
        first = int(used[0][0][2])
        single = [base[4] == 1 and slope[4] == 0 for base, slope in used]
        if source == Size(1, 0) or all(one or base[3] == 0 for one, (base, _) in zip(single, used, strict=True)):
            return Read("repeat", first)
        dense = all(one or (base[1] == base[3] == 1) for one, (base, _) in zip(single, used, strict=True))
        if not dense or source is None:
            return None
        room = source.base - first - into.base, source.slope - into.slope
        return Read("slice", first) if room[1] >= 0 and room[0] + room[1] * self._least >= 0 else None

    def _pattern(self, every: list[tuple[np.ndarray, np.ndarray]], into: Size, filled: bool) -> Read:
        most = max(len(base) for base, _ in every)
        key = 1 << (most - 1).bit_length()  # tables of 1, 2, 4, ... progressions
        pair = tuple(np.stack([np.pad(x[part], ((0, key - len(x[part])), (0, 0))) for x in every]) for part in (0, 1))
        name = key, pair[0].tobytes() + pair[1].tobytes()
        mine = self._tables.setdefault(key, [])
        if name not in self._rows_of:
            self._rows_of[name] = len(mine)
            mine.append((pair[0], pair[1]))
        old = self._sizes.get(key, into)
        self._sizes[key] = Size(max(old.base, into.base), max(old.slope, into.slope))
        return Read("pattern", 0, key, self._rows_of[name], filled)

"""An utterance in segments, each value computed once: Kaldi's looped computation (nnet3/nnet-compile-looped.cc).

A segment is the output frames of one chunk. It is given the input frames that no earlier one had and finds all that
earlier ones computed, so that a TDNN computes nothing twice, and a recurrence goes on where it was. What is computable
is decided segment by segment: where something is optional, a frame uses what is there in the segment that computes it.

From some segment on all are alike but for the time. ``plan_segments`` plans one after the other until two in a row are,
with the same values before them as far back as they may read: then all later ones are too. Only what later segments
read is carried over.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kaldi_bridge.errors import KaldiError
from nnet3_compat.structure.graph import Graph
from nnet3_compat.structure.layout import Layout, encode_rows, make_layout
from nnet3_compat.structure.plan import Plan, make_plan
from nnet3_compat.structure.timeset import Fix

MAX_SEGMENTS = 100  # as many as Kaldi tries

Times = list[np.ndarray]  # per value of a graph


@dataclass(frozen=True)
class SegmentRequest:
    """What is asked of a network segment by segment.

    Attributes:
        size: input frames of a segment: a multiple of ``factor`` and of the network's modulus, and the distance of
            i-vectors in time.
        left, right: frames of features before the first output frame of an utterance, and after the last one.
        factor: input frames per output frame.
    """

    size: int
    left: int
    right: int
    factor: int

    @property
    def num_outputs(self) -> int:
        """Output frames of each segment."""
        return self.size // self.factor

    @property
    def ivectors_at_first(self) -> int:
        """The i-vectors that the first segment is given; later ones are given one each."""
        return (self.size + self.right - 1) // self.size + 1 - (-self.left // self.size)

    def first_input(self, segment: int) -> int:
        """The first frame of input that a segment is given; negative: before the beginning."""
        return segment * self.size + self.right if segment else -self.left

    def num_inputs(self, segment: int) -> int:
        """Frames of input that a segment is given."""
        return self.size if segment else self.left + self.size + self.right

    def input_times(self, segment: int) -> dict[str, np.ndarray]:
        """Per input node, the times of the rows that a segment is given."""
        ivectors = -self.left // self.size + np.arange(self.ivectors_at_first)
        return {
            "input": self.first_input(segment) + np.arange(self.num_inputs(segment)),
            "ivector": (ivectors[-1:] + segment if segment else ivectors) * self.size,
        }


@dataclass
class SegmentLayout:
    """Where a segment reads.

    Attributes:
        specs: see layout.py.
        carried: per value the rows, of those carried over to this segment and its new ones, that the next one gets:
            their number, and a leaf.
    """

    specs: Layout
    carried: list[list[int]]


@dataclass
class SegmentLayouts:
    """The layouts of all segments: the last one is that of all others too."""

    request: SegmentRequest
    layouts: list[SegmentLayout]

    def carried_values(self) -> set[int]:
        """The values of which something is carried over."""
        return {i for layout in self.layouts for i, spec in enumerate(layout.carried) if spec[0]}


def plan_segments(graph: Graph, request: SegmentRequest) -> SegmentLayouts:
    """Raises KaldiError where outputs are not computable, or segments do not become alike."""
    if any(isinstance(m, Fix) for v in graph.values for leaf in v.leaves() for m in leaf.maps):
        raise KaldiError("a network that reads a fixed time cannot be computed in segments (ReplaceIndex of t)")
    size = request.size
    plans: list[Plan] = []
    known: list[Times] = [[np.zeros(0, np.int64) for _ in graph.values]]
    while len(plans) < MAX_SEGMENTS:
        inputs = request.input_times(len(plans))
        outputs = dict.fromkeys(graph.outputs, len(plans) * size + np.arange(request.num_outputs) * request.factor)
        plan = make_plan(graph, outputs, inputs, known=known[-1])
        for name, i in graph.inputs.items():  # stays, whether or not it is read at once
            plan.need[i] = plan.universe.from_times(inputs[name])
        plans.append(plan)
        known.append([np.union1d(times, plan.times(i)) for i, times in enumerate(known[-1])])
        if len(plans) > 1 and _alike(plans[-2], plans[-1], size):
            carried = _carried(plans, known, size)
            if all(np.array_equal(a + size, b) for a, b in zip(*carried[-2:], strict=True)):
                return SegmentLayouts(request, _layouts(request, plans, carried))
    raise KaldiError(
        f"after {MAX_SEGMENTS} chunks of {size} frames the computation still depends on when the utterance began: "
        "the network sees too far back for a looped computation"
    )


def _alike(first: Plan, second: Plan, size: int) -> bool:
    """Whether two segments in a row do the same, with the same before them as far back as they ask."""
    if first.used.keys() != second.used.keys():
        return False
    sets = [
        *zip(first.need, second.need, strict=True),
        *zip(first.demand, second.demand, strict=True),
        *((first.used[leaf], second.used[leaf]) for leaf in first.used),
    ]
    times, later = first.universe.times, second.universe.times
    if not all(np.array_equal(times(a) + size, later(b)) for a, b in sets):
        return False
    oldest = min(int(later(members)[0]) for members in second.demand if members)
    pairs = [(times(a) + size, later(b)) for a, b in zip(first.known, second.known, strict=True)]
    return all(np.array_equal(a[a >= oldest], b[b >= oldest]) for a, b in pairs)


def _reads(plan: Plan) -> Times:
    """Per value, the times that a segment reads."""
    found: list[list[np.ndarray]] = [[] for _ in plan.need]
    for v in plan.graph.values:
        for leaf in v.leaves():
            times = plan.universe.times(plan.used[id(leaf)])
            for m in leaf.maps:
                times = m.apply(times)
            found[leaf.source].append(times)
    return [np.unique(np.concatenate([*times, np.zeros(0, np.int64)])) for times in found]


def _carried(plans: list[Plan], known: list[Times], size: int) -> list[Times]:
    """For each segment, and the one after the last, the times of what it gets: all that it or later ones read."""
    reads = [_reads(plan) for plan in plans]
    newest = max(int(times[-1]) for times in known[-1] if len(times))
    oldest = min(int(times[0]) for times in reads[-1] if len(times))
    ahead = (newest - oldest) // size + 1
    reads += [[times + k * size for times in reads[-1]] for k in range(1, ahead + 1)]
    later: Times = [np.zeros(0, np.int64) for _ in known[0]]
    carried: list[Times] = []
    for segment in reversed(range(len(reads))):
        later = [np.union1d(a, b) for a, b in zip(later, reads[segment], strict=True)]
        if segment < len(known):
            carried.append([np.intersect1d(a, b) for a, b in zip(known[segment], later, strict=True)])
    return carried[::-1]


def _layouts(request: SegmentRequest, plans: list[Plan], carried: list[Times]) -> list[SegmentLayout]:
    made = []
    for segment, plan in enumerate(plans):
        specs = make_layout(plan, request.input_times(segment), carried=carried[segment])
        rows = [np.concatenate([old, plan.times(i)]) for i, old in enumerate(carried[segment])]
        kept = []
        for there, wanted in zip(rows, carried[segment + 1], strict=True):
            order = np.argsort(there, kind="stable")
            source = order[np.searchsorted(there[order], wanted)] if len(wanted) else wanted
            to = np.arange(len(wanted))
            kept.append([len(wanted), *(encode_rows(to, source, np.zeros_like(to)) if len(wanted) else [0])])
        made.append(SegmentLayout(specs, kept))
    return made

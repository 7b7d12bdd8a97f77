"""A network that computes what a layout says, in C++ and without torch.

    network = FoldedNetwork(graph, components)
    program = network.program(Segment(layout))
    outputs = program.run([features], [new_state() for _ in features])       # [N, frames, dim] -> [N, frames, pdfs]

Only networks without recurrences, of components that map single rows or are affine maps of several (see ``can_fold``).
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from kaldi_bridge.errors import KaldiError
from nnet3_compat.components.base import Component
from nnet3_compat.components.int8_matrix import Int8Matrix
from nnet3_compat.folded.component_functions import affine_of, function_of, scale_and_offset_of
from nnet3_compat.folded.folding import Chain, Folding, Parameters
from nnet3_compat.folded.precision import BFLOAT16, FLOAT32, INT8
from nnet3_compat.structure.graph import Graph, Leaf, terms_of
from nnet3_compat.structure.layout import Layout, leaf_size, rows_read

try:
    _csrc: Any = importlib.import_module("nnet3_compat.folded._csrc")
except ImportError:  # no compiler: torch computes
    _csrc = None


def can_fold(graph: Graph, components: dict[str, Component]) -> bool:
    """Whether a FoldedNetwork can be made."""
    if _csrc is None or len(graph.outputs) != 1 or any(group.direction != 0 for group in graph.groups):
        return False
    for value in graph.values:
        if value.is_input and value.x != 0:
            return False
        if value.component is None:
            continue
        component = components[value.component]
        if not value.taps or not (component.is_affine or component.is_identity or function_of(component)):
            return False
        if value.tap_rule is not None and not component.is_affine:
            return False
    return True


def new_state() -> Any:
    """What is before the first segment of a sequence."""
    return _csrc.State()


@dataclass
class Segment:
    """What a program computes: a whole request, or a segment of sequences (structure/segments.py).

    Attributes:
        specs: see layout.py.
        before: per value, the number of rows that the segment before left; empty: none.
        kept: per value a number of rows and a leaf, what is left for the next one; empty: nothing.
        repeated: inputs of which all frames that are read are the same one, which is given once.
    """

    specs: Layout
    before: list[int] = field(default_factory=list)
    kept: list[list[int]] = field(default_factory=list)
    repeated: Sequence[str] = ()


class FoldedNetwork:
    """Holds the weights, of which programs for any number of layouts are made.

    Args:
        graph: one that ``can_fold``.
        precision: of products; see precision.py.
    """

    def __init__(self, graph: Graph, components: dict[str, Component], precision: str = FLOAT32) -> None:
        self._graph = graph
        self._components = {
            i: components[value.component] for i, value in enumerate(graph.values) if value.component is not None
        }
        parameters = Parameters(
            lambda i: affine_of(self._components[i]), lambda i: scale_and_offset_of(self._components[i])
        )
        self._folding = Folding(graph, self._components, parameters)
        self._matrices = {result: self._matrix(chain, precision) for result, chain in self._folding.chains.items()}
        self._functions = {
            i: function_of(component)
            for i, component in self._components.items()
            if not component.is_affine and i not in self._folding.skipped
        }

    def _matrix(self, chain: Chain, precision: str) -> Any:
        """An _csrc.PackedMatrix.

        Columns of inputs may be of very different sizes, as those of features beside i-vectors: what reads these alone
        is float32 in any precision. What reads linear functions of them is bfloat16 at the least.
        """
        source = self._graph.values[chain.affine].taps[0].source
        if self._is_of_inputs(source, through_maps=False):
            precision = FLOAT32
        elif precision == INT8 and self._is_of_inputs(source, through_maps=True):
            precision = BFLOAT16
        bias, offset = chain.bias, chain.offset
        try:
            if precision == FLOAT32:
                return _csrc.float32_matrix(chain.weight, bias, offset)
            if precision == BFLOAT16:
                return _csrc.bfloat16_matrix(chain.weight, bias, offset)
            rounded = Int8Matrix.of(chain.weight)
            return _csrc.int8_matrix(rounded.values, rounded.scales, bias, offset)
        except ValueError as error:
            raise KaldiError(f"the network cannot be computed: {error}") from None

    def _is_of_inputs(self, i: int, through_maps: bool) -> bool:
        """Whether value i is made of inputs alone: by descriptors, and also by affine maps."""
        value = self._graph.values[i]
        if value.is_input:
            return True
        if value.component is not None:
            component = self._components[i]
            if not (component.is_identity or (through_maps and (component.is_affine or component.is_scale_and_offset))):
                return False
        return all(self._is_of_inputs(leaf.source, through_maps) for leaf in value.leaves())

    @property
    def input_names(self) -> list[str]:
        return list(self._graph.inputs)

    def program(self, segment: Segment) -> Any:
        """An _csrc.Program, which any number of threads may run."""
        graph, folding, specs = self._graph, self._folding, segment.specs
        groups = [g for g in range(len(graph.groups)) if folding.is_made(g)]
        operations = [self._operation(graph.groups[g].members[0], segment) for g in groups]
        before = segment.before or [0] * len(graph.values)
        sizes = [0] * len(graph.values)
        born = [-1] * len(graph.values)
        for at, g in enumerate(groups):
            i = graph.groups[g].members[0]
            sizes[i] = specs[folding.group_of[folding.chains[i].affine if i in folding.chains else i]][0]
            born[i] = -1 if before[i] else at
        dies = [len(graph.groups)] * len(graph.values)
        for g, freed in enumerate(folding.free):
            for i in freed:
                dies[i] = sum(made < g for made in groups)
        kept = [_csrc.Reading(i, 1.0, rows_read(spec, 1, spec[0])) for i, spec in enumerate(segment.kept) if spec[0]]
        for i, spec in enumerate(segment.kept):
            if spec[0]:
                dies[i] = len(graph.groups)
        numbers = [value.dim * (rows + old) for value, rows, old in zip(graph.values, sizes, before, strict=True)]
        begins, total = places(numbers, born, dies)
        values = [
            _csrc.Value(value.dim, old, rows, begin)
            for value, old, rows, begin in zip(graph.values, before, sizes, begins, strict=True)
        ]
        input_dims = [graph.values[i].dim for i in graph.inputs.values()]
        (output,) = graph.outputs.values()
        return _csrc.Program(values, total, input_dims, operations, kept, output)

    def _operation(self, i: int, segment: Segment) -> Any:
        """What makes value i."""
        value, spec = self._graph.values[i], segment.specs[self._folding.group_of[i]]
        rows = spec[0]
        if i in self._folding.chains:
            return self._affine(i, self._folding.chains[i], segment.specs)
        if value.is_input:
            frames = rows_read(spec, 1, rows)
            if value.node in segment.repeated:
                frames = np.zeros_like(frames)
            return _csrc.take_input(i, self.input_names.index(value.node), frames)
        if value.parts:
            return _csrc.append(i, self._parts(i, spec))
        reading = _csrc.Reading(value.taps[0].source, 1.0, rows_read(spec, 1, rows))
        if value.component is None or self._components[i].is_identity:
            return _csrc.append(i, [_csrc.Part(0, value.dim, 0.0, [reading], value.first_column)])
        function = self._functions[i]
        assert function is not None
        name, parameters = function
        return _csrc.apply(i, getattr(_csrc.Function, name), reading, parameters.tolist())

    def _affine(self, i: int, chain: Chain, specs: Layout) -> Any:
        spec = specs[self._folding.group_of[chain.affine]]
        rows = spec[0]
        taps = _readings(self._graph.values[chain.affine].taps, spec, rows)
        residual = []
        if chain.residual:
            all_read = _readings(self._graph.values[i].leaves(), specs[self._folding.group_of[i]], rows)
            residual = [all_read[leaf] for leaf, _, _ in chain.residual]
        return _csrc.affine(i, self._matrices[i], taps, chain.relu, residual, chain.add_offset)

    def _parts(self, i: int, spec: list[int]) -> list[Any]:
        parts, first, at = [], 0, 1
        for dim, expression in self._graph.values[i].parts:
            leaves, constant = terms_of(expression)
            readings = []
            for leaf in leaves:
                if spec[at] != 0:
                    readings.append(_csrc.Reading(leaf.source, leaf.scale, rows_read(spec, at, spec[0])))
                at += leaf_size(spec, at)
            parts.append(_csrc.Part(first, dim, constant, readings, 0))
            first += dim
        return parts


def _readings(leaves: list[Leaf], spec: list[int], rows: int) -> list[Any]:
    found, at = [], 1
    for leaf in leaves:
        found.append(_csrc.Reading(leaf.source, leaf.scale, rows_read(spec, at, rows)))
        at += leaf_size(spec, at)
    return found


def places(sizes: list[int], born: list[int], dies: list[int]) -> tuple[list[int], int]:
    """Where things of these sizes begin, so that none overlap that are there at the same time; and the size of all.

    Args:
        born, dies: the first and the last time at which each is there.
    """
    begins, total = [0] * len(sizes), 0
    there: list[int] = []
    for i in sorted(range(len(sizes)), key=born.__getitem__):
        if not sizes[i]:
            continue
        there = [j for j in there if dies[j] >= born[i]]
        begin = 0
        for j in sorted(there, key=begins.__getitem__):
            if begin + sizes[i] <= begins[j]:
                break
            begin = max(begin, begins[j] + sizes[j])
        begins[i] = begin
        there.append(i)
        total = max(total, begin + sizes[i])
    return begins, total

"""A network that computes what a layout says, in C++ and without torch.

    network = FoldedNetwork(graph, components)
    program = network.program(layout)
    outputs = program.run([features], [new_state() for _ in features])       # [N, frames, dim] -> [N, frames, pdfs]

Only networks of components that map single rows, or are affine maps of, convolutions over or attention to several, and
recurrences of these (see ``can_fold``).
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from kaldi_bridge.errors import KaldiError
from nnet3_compat.components.attention import RestrictedAttentionComponent
from nnet3_compat.components.base import Component
from nnet3_compat.components.dropout import DropoutMaskComponent
from nnet3_compat.components.gru import GruNonlinearityComponent
from nnet3_compat.components.int8_matrix import Int8Matrix
from nnet3_compat.components.time_height_convolution import TimeHeightConvolutionComponent
from nnet3_compat.folded.component_functions import affine_of, filters_of, function_of, pieces_of, scale_and_offset_of
from nnet3_compat.folded.folding import Chain, Folding, Parameters
from nnet3_compat.folded.precision import BFLOAT16, FLOAT32, INT8
from nnet3_compat.structure.graph import Graph, Leaf, Value, terms_of
from nnet3_compat.structure.layout import Layout, check_recurrence

try:
    _csrc: Any = importlib.import_module("nnet3_compat.folded._csrc")
except ImportError:  # no compiler: torch computes
    _csrc = None


READ_TAPS = (TimeHeightConvolutionComponent, RestrictedAttentionComponent)


def can_fold(graph: Graph, components: dict[str, Component]) -> bool:
    """Whether a FoldedNetwork can be made."""
    if _csrc is None or len(graph.outputs) != 1 or any(group.direction is None for group in graph.groups):
        return False
    if any(value.is_input and value.x != 0 for value in graph.values):
        return False
    for group in graph.groups:
        if group.direction != 0:
            try:
                check_recurrence(graph, group)
            except KaldiError:
                return False
    return all(value.component is None or _can_compute(value, components[value.component]) for value in graph.values)


def _can_compute(value: Value, component: Component) -> bool:
    if isinstance(component, DropoutMaskComponent):
        return True
    reads_taps = component.is_affine or isinstance(component, READ_TAPS)
    if not value.taps or (value.tap_rule is not None and not reads_taps):
        return False
    return (
        reads_taps
        or component.is_identity
        or isinstance(component, GruNonlinearityComponent)
        or function_of(component) is not None
    )


def new_state() -> Any:
    """What is before the first segment of a sequence."""
    return _csrc.State()


class FoldedNetwork:
    """Holds the weights, of which programs for any number of layouts are made.

    Args:
        graph: one that ``can_fold``.
        precision: of products; see precision.py.
        repeated: inputs of which all frames that are read are the same one, which is given once.
    """

    def __init__(
        self, graph: Graph, components: dict[str, Component], precision: str = FLOAT32, repeated: Sequence[str] = ()
    ) -> None:
        self._graph, self._repeated = graph, repeated
        self._components = {
            i: components[value.component] for i, value in enumerate(graph.values) if value.component is not None
        }
        parameters = Parameters(
            lambda i: affine_of(self._components[i]),
            lambda i: scale_and_offset_of(self._components[i]),
            lambda i: filters_of(self._components[i]),
        )
        self._folding = Folding(graph, self._components, parameters)
        self._precision = precision
        self._matrices = {
            result: self._matrix(chain.affine, chain.weight, chain.bias, chain.offset, chain.lacking)
            for result, chain in self._folding.chains.items()
        }
        self._functions = {
            i: function_of(component)
            for i, component in self._components.items()
            if not component.is_affine and i not in self._folding.skipped
        }
        self._native = self._network()

    def _matrix(
        self,
        reader: int,
        weight: np.ndarray,
        bias: np.ndarray,
        offset: np.ndarray,
        lacking: np.ndarray | None = None,
    ) -> Any:
        """An _csrc.PackedMatrix, for what value ``reader`` reads, less the constant ``lacking``.

        Columns of inputs may be of very different sizes, as those of features beside i-vectors: what reads these alone
        is float32 in any precision. What reads linear functions of them is bfloat16 at the least.

        The constant that an input is kept without, a batch norm's offset, goes through the rounded weights too, as it
        does where a model was exported in eight bits: their errors then meet inputs whose mean is about zero.
        """
        source, precision = self._graph.values[reader].taps[0].source, self._precision
        if self._is_of_inputs(source, through_maps=False):
            precision = FLOAT32
        elif precision == INT8 and self._is_of_inputs(source, through_maps=True):
            precision = BFLOAT16
        try:
            if precision == FLOAT32:
                return _csrc.float32_matrix(weight, bias, offset)
            if precision == BFLOAT16:
                return _csrc.bfloat16_matrix(weight, bias, offset)
            rounded = Int8Matrix.of(weight)
            if lacking is not None:
                bias = bias + (rounded.floats() - weight) @ lacking
            return _csrc.int8_matrix(rounded.values, rounded.scales, bias, offset)
        except ValueError as error:
            raise KaldiError(f"the network cannot be computed: {error}") from None

    def _is_of_inputs(self, i: int, through_maps: bool) -> bool:
        """Whether value i is made of inputs alone: by descriptors, and also by affine maps."""
        value = self._graph.values[i]
        if value.is_input:
            return True
        if self._graph.groups[self._folding.group_of[i]].direction != 0:
            return False
        if value.component is not None:
            component = self._components[i]
            if not (component.is_identity or (through_maps and (component.is_affine or component.is_scale_and_offset))):
                return False
        return all(self._is_of_inputs(leaf.source, through_maps) for leaf in value.leaves())

    @property
    def input_names(self) -> list[str]:
        return list(self._graph.inputs)

    def program(self, layout: Layout, carried: Sequence[int] = (), kept: Sequence[list[int]] = ()) -> Any:
        """An _csrc.Program, which any number of threads may run.

        Args:
            layout: of a whole request, or of a segment of sequences (structure/segments.py).
            carried: per value, the number of rows that the segment before left; empty: none.
            kept: per value a number of rows and a leaf, what is left for the next one; empty: nothing.
        """
        return self._native.program(layout, carried, kept)

    def _network(self) -> Any:
        """The _csrc.Network of all operations."""
        graph, folding = self._graph, self._folding
        groups, inputs, operations = [], [], []
        for group in graph.groups:
            inside = set(group.members) if group.direction != 0 else set()
            members = []
            for i in group.members:
                sources = [leaf.source for leaf in graph.values[i].leaves()]
                members.append(_csrc.Member(i, [j if j in inside else _csrc.NO_VALUE for j in sources]))
            groups.append(_csrc.Group(members, bool(inside)))
            first = graph.values[group.members[0]]
            if first.is_input:
                slot = self.input_names.index(first.node)
                inputs.append(_csrc.TakenInput(group.members[0], slot, first.node in self._repeated))
                continue
            made = [self._operation(i) for i in group.members if i in folding.chains or i not in folding.skipped]
            if made:
                operations.append(made)
        dims, input_dims = [value.dim for value in graph.values], [graph.values[i].dim for i in graph.inputs.values()]
        (output,) = graph.outputs.values()
        return _csrc.Network(groups, dims, input_dims, inputs, operations, output)

    def _operation(self, i: int) -> Any:
        """What makes value i."""
        value = self._graph.values[i]
        if i in self._folding.chains:
            chain = self._folding.chains[i]
            first = self._components[chain.affine]
            if isinstance(first, TimeHeightConvolutionComponent):
                return self._convolution(i, chain, first)
            return self._affine(i, chain)
        if value.parts:
            return _csrc.append(i, self._parts(i))
        if value.component is None:
            (leaf,) = value.taps
            return _csrc.append(
                i, [_csrc.Part(value.dim, 0.0, [self._reading(i, 0, leaf, value.first_column, value.dim)])]
            )
        component = self._components[i]
        if isinstance(component, DropoutMaskComponent):
            return _csrc.append(i, [_csrc.Part(value.dim, component.expected, [])])
        if component.is_identity:
            return _csrc.append(i, [_csrc.Part(value.dim, 0.0, self._readings(i, value.taps))])
        if isinstance(component, RestrictedAttentionComponent):
            return self._attention(i, component)
        leaf, columns = value.taps[0], np.cumsum([0, *pieces_of(component)]).tolist()
        pieces = [
            self._reading(i, 0, leaf, first, end - first) for first, end in zip(columns[:-1], columns[1:], strict=True)
        ]
        if isinstance(component, GruNonlinearityComponent):
            return self._gated_unit(i, component, pieces)
        function = self._functions[i]
        assert function is not None
        name, parameters = function
        return _csrc.apply(i, value.dim, getattr(_csrc.Function, name), pieces, parameters.tolist())

    def _affine(self, i: int, chain: Chain) -> Any:
        values = self._graph.values
        taps = self._readings(chain.affine, values[chain.affine].taps)
        all_read = self._readings(i, values[i].leaves()) if chain.residual else []
        residual = [all_read[leaf] for leaf, _, _ in chain.residual]
        return _csrc.affine(i, self._matrices[i], taps, chain.relu, residual, chain.add_offset)

    def _gated_unit(self, i: int, component: GruNonlinearityComponent, pieces: list[Any]) -> Any:
        """Without projection the state is the cells."""
        nothing = np.zeros(component.cell_dim, np.float32)
        cells = pieces[3:] if len(pieces) == 5 else [pieces[3], pieces[3]]
        return _csrc.gated_unit(i, self._matrix(i, component.w_h, nothing, nothing), [*pieces[:3], *cells])

    def _convolution(self, i: int, chain: Chain, component: TimeHeightConvolutionComponent) -> Any:
        times = component.all_time_offsets
        return _csrc.convolve(
            i,
            self._matrices[i],
            self._readings(chain.affine, self._graph.values[chain.affine].taps),
            _csrc.Image(
                component.num_filters_in, component.height_in, component.height_out, component.height_subsample_out
            ),
            [_csrc.HeightOffset(times.index(time), height) for time, height in component.offsets],
            _csrc.Following(chain.relu, *(chain.scaled or ([], []))),
        )

    def _attention(self, i: int, component: RestrictedAttentionComponent) -> Any:
        c = component
        heads = _csrc.Heads(c.num_heads, c.key_dim, c.value_dim, c.num_left_inputs, c.key_scale, c.output_context)
        return _csrc.attend(i, heads, self._readings(i, self._graph.values[i].taps))

    def _parts(self, i: int) -> list[Any]:
        parts, at = [], 0
        for dim, expression in self._graph.values[i].parts:
            leaves, constant = terms_of(expression)
            readings = [self._reading(i, at + k, leaf, 0, dim) for k, leaf in enumerate(leaves)]
            parts.append(_csrc.Part(dim, constant, readings))
            at += len(leaves)
        return parts

    def _readings(self, i: int, leaves: list[Leaf]) -> list[Any]:
        """Of all leaves of value i, which are these."""
        return [self._reading(i, k, leaf, 0, self._graph.values[leaf.source].dim) for k, leaf in enumerate(leaves)]

    def _reading(self, i: int, k: int, leaf: Leaf, first_column: int, dim: int) -> Any:
        """Of leaf k of value i."""
        return _csrc.Reading(leaf.source, first_column, dim, leaf.scale, i, k)

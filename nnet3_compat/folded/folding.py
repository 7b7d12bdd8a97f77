"""What affine maps are followed by is folded into them, in a network that only computes.

In test mode a TDNN-F layer is ``0.66 x + batchnorm(relu(W y + b))``. The scale s of a batch norm is positive, so
s relu(z) = relu(s z) and s goes into W and b. Its offset is constant: instead of adding it to every frame the value is
kept without it, and each later affine map, whose input is then lacking a constant c, gets W c added to its bias. What
is left per layer is the matrix products, a relu and a sum. A convolution is followed by a relu, a scale and an offset.

Within a recurrence nothing is kept without a constant, and affine maps are followed as far as the recurrence goes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from nnet3_compat.components.base import Component
from nnet3_compat.components.time_height_convolution import TimeHeightConvolutionComponent
from nnet3_compat.structure.graph import Const, Expression, Graph, Leaf, Sum, Value

NO_COMPONENT = Component()


@dataclass
class Chain:
    """An affine map and what is folded into it: value ``result`` is relu(W [x_1, x_2, ...] + b) + residual + offset.

    Attributes:
        affine: the value that the affine map makes, which is where its taps are read.
        weight: [D_out, taps * D_in]; bias, offset: [D_out].
        lacking: [taps * D_in], what its taps lack, whose product with the weight is in the bias; None: nothing.
        residual: (number of the leaf among those of ``result``, source, scale) of what is added.
        absorbed: values that are not made.
        add_offset: false where it is zero, or readers do with the value less the offset.
        scaled: of a convolution, scales and offsets [dim of ``result``] of what the relu gives; None: as it is.
    """

    affine: int
    weight: np.ndarray
    bias: np.ndarray
    offset: np.ndarray
    lacking: np.ndarray | None = None
    relu: bool = False
    result: int = -1
    residual: list[tuple[int, int, float]] = field(default_factory=list)
    absorbed: list[int] = field(default_factory=list)
    add_offset: bool = True
    scaled: tuple[np.ndarray, np.ndarray] | None = None


def plain_terms(e: Expression) -> tuple[list[Leaf], float] | None:
    """Leaves and constant of a part that always uses all of its leaves, else None."""
    if isinstance(e, Leaf):
        return [e], 0.0
    if isinstance(e, Const):
        return [], e.value
    if not isinstance(e, Sum):
        return None
    leaves: list[Leaf] = []
    constant = 0.0
    for arg in e.args:
        terms = plain_terms(arg)
        if terms is None:
            return None
        leaves += terms[0]
        constant += terms[1]
    return leaves, constant


def passed_on(value: Value) -> Leaf | None:
    """The leaf that a descriptor is nothing but, if it is."""
    if len(value.parts) != 1 or not isinstance(value.parts[0][1], Leaf) or value.parts[0][1].scale != 1.0:
        return None
    return value.parts[0][1]


@dataclass(frozen=True)
class Parameters:
    """The numbers of components by the values that they make: W [output, taps * input] and b [output] or None of those
    that are affine; s and o [dim] of those that are scale and offset; W [filters out, offsets * filters in] and
    b [filters out] of convolutions, or None where these are to be left alone."""

    affine: Callable[[int], tuple[np.ndarray, np.ndarray | None]]
    scale_and_offset: Callable[[int], tuple[np.ndarray, np.ndarray]]
    convolution: Callable[[int], tuple[np.ndarray, np.ndarray]] | None = None


class Folding:
    """Finds what can be folded in a graph.

    Args:
        components: by the values that they make; without those of a recurrence nothing is folded in it.

    Attributes:
        chains: by the value that each makes.
        skipped: values that are not made, or by a chain.
        lacks: per value, the constant [dim] that it is kept without; None: none.
        free: per group of the graph, the values that nothing reads after it.
    """

    def __init__(self, graph: Graph, components: Mapping[int, Component], parameters: Parameters) -> None:
        self.graph, self._components, self._parameters = graph, components, parameters
        self.group_of = {i: g for g, group in enumerate(graph.groups) for i in group.members}
        self._readers: list[list[int]] = [[] for _ in graph.values]
        for i, v in enumerate(graph.values):
            for leaf in v.leaves():
                self._readers[leaf.source].append(i)
        self._recurrent = [graph.groups[self.group_of[i]].direction != 0 for i in range(len(graph.values))]
        self._takes_offset = self._who_takes_offsets()
        self.lacks: list[np.ndarray | None] = [None] * len(graph.values)
        self.chains: dict[int, Chain] = {}
        self.skipped: set[int] = set()
        self._build()
        self.free = self._free_lists()

    def _component(self, i: int) -> Component:
        """Of a value; one that is nothing in particular where there is none."""
        return self._components.get(i, NO_COMPONENT)

    def _who_takes_offsets(self) -> list[bool]:
        """Per value, whether every reader can do with the value less a constant."""
        values = self.graph.values
        takes = [False] * len(values)
        wanted = set(self.graph.outputs.values())
        for i in reversed(range(len(values))):
            ok = i not in wanted and not self._recurrent[i]
            for r in self._readers[i]:
                v = values[r]
                if self._recurrent[r]:
                    ok = False
                elif v.parts:
                    ok = ok and takes[r] and all(plain_terms(e) is not None for _, e in v.parts)
                elif v.component is None or self._component(r).is_identity:
                    ok = ok and takes[r]
                else:
                    ok = ok and self._component(r).is_affine
            takes[i] = ok
        return takes

    def _only_reader(self, i: int) -> int | None:
        """The value that alone reads value i, both of one recurrence or of none; None where there are several, or i is
        wanted."""
        if len(self._readers[i]) != 1 or i in self.graph.outputs.values():
            return None
        reader = self._readers[i][0]
        together = self.group_of[i] == self.group_of[reader]
        return reader if together or not (self._recurrent[i] or self._recurrent[reader]) else None

    def _build(self) -> None:
        for i, v in enumerate(self.graph.values):
            if i in self.skipped or i in self.chains:
                continue
            if self._component(i).is_affine:
                chain = self._chain(i)
                self.skipped.update(chain.absorbed)
                self.chains[chain.result] = chain
                self._finish(chain)
            elif self._parameters.convolution and isinstance(self._component(i), TimeHeightConvolutionComponent):
                chain = self._convolution(i, *self._parameters.convolution(i))
                self.skipped.update(chain.absorbed)
                self.chains[chain.result] = chain
            elif v.parts:
                self.lacks[i] = self._descriptor_lacks(v)
            elif (v.component is None or self._component(i).is_identity) and v.taps:
                below = self.lacks[v.taps[0].source]
                if below is not None:
                    self.lacks[i] = below[v.first_column : v.first_column + v.dim]

    def _descriptor_lacks(self, v: Value) -> np.ndarray | None:
        found = False
        parts: list[np.ndarray] = []
        for dim, e in v.parts:
            total: np.ndarray = np.zeros(dim, np.float32)
            terms = plain_terms(e)
            for leaf in terms[0] if terms else []:
                below = self.lacks[leaf.source]
                if below is not None:
                    total = total + leaf.scale * below
                    found = True
            parts.append(total)
        return np.concatenate(parts) if found else None

    def _chain(self, i: int) -> Chain:
        """The affine map of value i with everything that can be folded into it."""
        values = self.graph.values
        weight, given = self._parameters.affine(i)
        bias = np.zeros_like(weight[:, 0]) if given is None else given.copy()
        below = self.lacks[values[i].taps[0].source]
        lacking = None
        if below is not None:
            lacking = np.tile(below.astype(weight.dtype), len(values[i].taps))
            bias += weight @ lacking
        chain = Chain(i, weight, bias, np.zeros_like(bias), lacking, result=i)
        at = i
        while True:
            descriptor = self._only_reader(at)
            if descriptor is None or not values[descriptor].parts or len(values[descriptor].parts) != 1:
                break
            terms = plain_terms(values[descriptor].parts[0][1])
            if terms is None:
                break
            leaves, constant = terms
            mine = [leaf for leaf in leaves if leaf.source == at]
            if len(mine) != 1 or mine[0].maps or mine[0].scale != 1.0:
                break
            if len(leaves) > 1 or constant:
                others = [leaf.source for leaf in leaves if leaf.source != at]
                if any(source > i and not self._recurrent[source] for source in others):
                    break  # what it lacks is not known yet
                order = values[descriptor].leaves()
                chain.residual = [(order.index(leaf), leaf.source, leaf.scale) for leaf in leaves if leaf.source != at]
                for _, source, scale in chain.residual:
                    lacking = self.lacks[source]
                    if lacking is not None:
                        chain.offset = chain.offset + scale * lacking
                chain.offset = chain.offset + np.float32(constant)
                chain.absorbed.append(at)
                chain.result = at = descriptor
                break
            reader = self._only_reader(descriptor)
            if reader is None or values[reader].component is None:
                break
            component = self._component(reader)
            if component.is_rectifier and not chain.offset.any():
                chain.relu = True
            elif component.is_scale_and_offset:
                s, o = self._parameters.scale_and_offset(reader)
                if chain.relu and not bool((s > 0).all()):
                    break
                chain.weight, chain.bias = chain.weight * s[:, np.newaxis], chain.bias * s
                if chain.relu:
                    chain.offset = chain.offset * s + o
                else:
                    chain.bias = chain.bias + o
            elif not component.is_identity:
                break
            chain.absorbed += [at, descriptor]
            chain.result = at = reader
        chain.absorbed = [a for a in chain.absorbed if a != chain.result]
        return chain

    def _convolution(self, i: int, weight: np.ndarray, bias: np.ndarray) -> Chain:
        """The convolution of value i with the relu and the batch norm behind it. Where it sees zeros around the image a
        constant would be missing: it stays, and so does a scale, which may be another one at each height."""
        chain = Chain(i, weight, bias, np.zeros_like(bias), result=i, add_offset=False)
        while (descriptor := self._only_reader(chain.result)) is not None:
            leaf, reader = passed_on(self.graph.values[descriptor]), self._only_reader(descriptor)
            if leaf is None or leaf.maps or reader is None or self.graph.values[reader].component is None:
                break
            component = self._component(reader)
            if component.is_rectifier and chain.scaled is None:
                chain.relu = True
            elif component.is_scale_and_offset:
                s, o = self._parameters.scale_and_offset(reader)
                scale, offset = chain.scaled or (np.ones_like(s), np.zeros_like(o))
                chain.scaled = s * scale, s * offset + o
            elif not component.is_identity:
                break
            chain.absorbed += [chain.result, descriptor]
            chain.result = reader
        return chain

    def _finish(self, chain: Chain) -> None:
        if self._takes_offset[chain.result] and bool(chain.offset.any()):
            chain.add_offset = False
            self.lacks[chain.result] = chain.offset
        elif not chain.relu and not chain.residual:
            chain.bias, chain.offset = chain.bias + chain.offset, np.zeros_like(chain.offset)
        chain.add_offset = chain.add_offset and bool(chain.offset.any())

    def _free_lists(self) -> list[list[int]]:
        values = self.graph.values
        runs_at = {chain.affine: self.group_of[result] for result, chain in self.chains.items()}
        last = {i: self.group_of[i] for i in range(len(values))}
        for i, v in enumerate(values):
            when = runs_at.get(i, self.group_of[i])
            for leaf in v.leaves():
                last[leaf.source] = max(last[leaf.source], when)
        free: list[list[int]] = [[] for _ in self.graph.groups]
        for i, g in last.items():
            if i not in self.graph.outputs.values():
                free[g].append(i)
        return free

    def is_made(self, group: int) -> bool:
        """Whether the values of a group of the graph are made, by a chain or as they are."""
        first = self.graph.groups[group].members[0]
        return first not in self.skipped or first in self.chains

"""Networks as programs that compute utterances chunk by chunk: what is carried over is given and returned.

    output, *state = chunk0(features, ivector)              # the first chunk: [N, first_frames, D], [N, K]
    output, *state = chunk1(features, ivector, *state)      # later ones: [N, chunk_frames, D], [N, K]

As Kaldi's looped computation (structure/segments.py): each frame is given once, and every value is computed once. Where
the chunks after the first one are not all alike, as with a long statistics window, there are more programs; the last
one serves all later chunks. A state is [N, rows, dim].
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from kaldi_bridge.errors import KaldiError
from nnet3_compat.export.description import Description
from nnet3_compat.export.program import load_programs, package, trace
from nnet3_compat.folded.looped import LoopedPlan
from nnet3_compat.modules.leaves import nothing_like, read_leaf
from nnet3_compat.network.network import Network
from nnet3_compat.network.recurrent_inference import RecurrentInference
from nnet3_compat.structure.graph import Graph
from nnet3_compat.structure.segments import SegmentLayout


@dataclass(frozen=True)
class ChunkKind:
    """What a chunk takes and gives.

    Attributes:
        frames: of features.
        before, after: (value, rows, dim) of the states that it is given, and returns.
    """

    frames: int
    before: list[tuple[int, int, int]]
    after: list[tuple[int, int, int]]


def chunk_kinds(plan: LoopedPlan) -> list[tuple[ChunkKind, SegmentLayout]]:
    """Chunk by chunk, until all later ones are as the last one here; two at least."""
    values, layouts = plan.graph.values, plan.layouts.layouts
    made: list[tuple[ChunkKind, SegmentLayout]] = []
    before: list[tuple[int, int, int]] = []
    for k, layout in enumerate(layouts):
        after = [(i, spec[0], values[i].dim) for i, spec in enumerate(layout.carried) if spec[0]]
        made.append((ChunkKind(plan.request.num_inputs(k), before, after), layout))
        before = after
    while len(made) > 2 and made[-1] == made[-2]:
        made.pop()
    return made


class Chunk(nn.Module):
    """``(features, [ivector], states...) -> (output, states...)``, for one kind of chunks."""

    def __init__(self, plan: LoopedPlan, network: Network, kind: ChunkKind, layout: SegmentLayout, first: bool) -> None:
        super().__init__()
        self.graph, self.executor = network.graph(), network.executor()
        self.kind, self.layout = kind, layout
        self.ivectors = 0 if not plan.ivector_dim else plan.request.ivectors_at_first if first else 1
        self.carried = plan.layouts.carried_values()

    def forward(self, features: Tensor, *rest: Tensor) -> tuple[Tensor, ...]:
        given = {"input": features.transpose(0, 1)}
        states = rest
        if self.ivectors:
            given["ivector"] = rest[0].unsqueeze(0).expand(self.ivectors, rest[0].shape[0], rest[0].shape[1])
            states = rest[1:]
        inputs = [given[name] for name in self.executor.input_names]
        values = [nothing_like(inputs[0], 0, v.dim) for v in self.graph.values]
        for (i, _, _), state in zip(self.kind.before, states, strict=True):
            values[i] = state.transpose(0, 1)
        earlier = {i for i, _, _ in self.kind.before}
        for group, step, spec in zip(self.graph.groups, self.executor.steps, self.layout.specs, strict=True):
            run: Any = step
            if group.direction != 0:
                members: Any = step.members
                pairs = zip(group.members, members, strict=True)
                modules = {i: member.component for i, member in pairs if member.has_component}
                run = RecurrentInference(self.graph, group, modules, self.carried)
            for i, made in zip(group.members, run(inputs, values, spec), strict=True):
                values[i] = torch.cat([values[i], made]) if i in earlier else made
        output = values[self.graph.outputs["output"]].transpose(0, 1)
        kept = [read_leaf(values[i], self.layout.carried[i], 1, rows) for i, rows, _ in self.kind.after]
        return (output.clone(), *(x.transpose(0, 1).clone() for x in kept))


class Streaming:
    """The programs of all kinds of chunks, ready to compute.

    Attributes:
        exported: torch.export.ExportedProgram, per kind.
    """

    device = torch.device("cpu")

    def __init__(self, exported: list[Any], description: Description) -> None:
        self.exported, self.description = exported, description
        self._modules = [each.module(check_guards=False) for each in exported]

    def compute(
        self, chunk: int, features: Tensor, ivector: Tensor | None, states: list[Tensor]
    ) -> tuple[Tensor, list[Tensor]]:
        """[N, frames, D], [N, K] and the states of [N, rows, dim] that chunk - 1 left -> outputs, states.

        Raises KaldiError where the program takes others.
        """
        given = [features, *([] if ivector is None else [ivector]), *states]
        try:
            output, *after = self._modules[min(chunk, len(self._modules) - 1)](*given)
        except (RuntimeError, TypeError, ValueError) as error:  # all about what is given
            raise KaldiError(f"the program of chunk {chunk} does not go with its description: {error}") from error
        return output, after

    def parameters(self) -> Iterator[Tensor]:
        return self._modules[-1].parameters()

    def state_dict(self) -> dict[str, Tensor]:
        """Parameters and buffers by name."""
        return dict(self.exported[-1].state_dict)

    def to(self, device: torch.device | str) -> Streaming:
        """Raises KaldiError for any device but the CPU, where streams are computed."""
        if torch.device(device).type != "cpu":
            raise KaldiError("a model that computes chunk by chunk runs on the CPU: give --use-gpu=no")
        return self

    def archive(self, extra: dict[str, str]) -> bytes:
        """The zip archive, with the programs ``chunk0``, ``chunk1``, ...; ``extra``: files beside them."""
        return package({f"chunk{k}": each for k, each in enumerate(self.exported)}, extra)


def export_streaming(
    network: Network,
    frames_per_chunk: int,
    frame_subsampling_factor: int = 1,
    extra_left_context: int = 0,
    priors: np.ndarray | None = None,
) -> Streaming:
    """A network in test mode, chunk by chunk.

    Args:
        frames_per_chunk: input frames of a chunk; rounded up to what the network allows.
        extra_left_context: frames before those that the first output needs, of the first chunk.

    Raises:
        KaldiError: the network cannot be computed so.
    """
    plan = LoopedPlan.of(network.to_nnet(), frames_per_chunk, frame_subsampling_factor, extra_left_context)
    _expect_no_endless_future(plan.graph)
    kinds, timed = chunk_kinds(plan), Network.from_nnet(plan.nnet)
    description = Description(
        input_dim=plan.input_dim,
        ivector_dim=plan.ivector_dim,
        output_dim=plan.output_dim,
        left_context=plan.request.left,
        right_context=plan.request.right,
        frame_subsampling_factor=frame_subsampling_factor,
        modulus=network.modulus,
        priors=[] if priors is None else [float(p) for p in priors],
        chunk_frames=plan.request.size,
        states=[[[rows, dim] for _, rows, dim in kind.after] for kind, _ in kinds],
    )
    exported = []
    for k, (kind, layout) in enumerate(kinds):
        inputs = [torch.randn(2, kind.frames, plan.input_dim)]
        inputs += [torch.randn(2, plan.ivector_dim)] if plan.ivector_dim else []
        inputs += [torch.randn(2, rows, dim) for _, rows, dim in kind.before]
        exported.append(trace(Chunk(plan, timed, kind, layout, k == 0), inputs, 0))
    return Streaming(exported, description)


def _expect_no_endless_future(graph: Graph) -> None:
    """Raises KaldiError, with the component, where a recurrence goes backward: it would begin anew in every chunk."""
    for group in graph.groups:
        if group.direction == 1:
            values = [graph.values[i] for i in group.members]
            name = next((v.component for v in values if v.component), values[0].node)
            raise KaldiError(
                f"{name} belongs to a recurrence that reads later frames without end: --streaming is for networks "
                "whose recurrences go forward only. Export this one without it, for whole utterances; the programs "
                "that decode online take its .mdl, and begin such a recurrence at the end of each chunk"
            )


def load_streaming(data: bytes, description: Description, name: str) -> Streaming:
    """See program.load_programs."""
    names = [f"chunk{k}" for k in range(len(description.states))]
    exported = load_programs(data, names, name)
    d, before = description, list[list[int]]()
    for chunk, (each, after) in enumerate(zip(exported, d.states, strict=True)):
        frames = d.chunk_frames + (0 if chunk else d.left_context + d.right_context)
        wanted = [[frames, d.input_dim], *([[d.ivector_dim]] if d.ivector_dim else []), *before]
        found = _sizes_of_inputs(each)
        if found != wanted:
            raise KaldiError(
                f"{name}: its description is not its own: chunk {chunk} takes {found} of each stream, not {wanted}"
            )
        before = after
    return Streaming(exported, description)


def _sizes_of_inputs(exported: Any) -> list[list[Any]]:
    """Of each tensor that a program is given, without N; what is no number is not fixed in the program."""
    given = set(exported.graph_signature.user_inputs)
    nodes = [node for node in exported.graph.nodes if node.op == "placeholder" and node.name in given]
    shapes = [getattr(node.meta.get("val"), "shape", ()) for node in nodes]
    return [[size if isinstance(size, int) else str(size) for size in shape[1:]] for shape in shapes]

"""Whether the outputs of a network depend on how an utterance is cut into chunks.

They do where it has a recurrence, where optional inputs (IfDefined, Failover, padding of convolutions, statistics
pooling, attention) are found at some frames and not at others, or where an index is replaced by a fixed time of the
features. They do not where the plans of short and long chunks use the same inputs for every frame.
"""

from __future__ import annotations

from nnet3_compat.structure.graph import Graph
from nnet3_compat.structure.plan import make_plan
from nnet3_compat.structure.request import Request
from nnet3_compat.structure.timeset import Fix


def depends_on_input(graph: Graph) -> list[bool]:
    """Per value, whether it depends on the node "input"."""
    depends = [v.is_input and v.node == "input" for v in graph.values]
    for group in graph.groups:
        some = any(depends[leaf.source] for i in group.members for leaf in graph.values[i].leaves())
        for i in group.members:
            depends[i] = depends[i] or some
    return depends


def chunk_invariant(graph: Graph, factor: int, left: int, right: int, num_outputs: int, unit: int = 1) -> bool:
    """For chunks of ``num_outputs`` and fewer output frames, ``factor`` apart, with ``left`` and ``right`` context.

    ``unit``: chunks may begin at multiples of so many output frames only.
    """
    if any(group.direction != 0 for group in graph.groups):
        return False
    depends = depends_on_input(graph)
    for v in graph.values:
        for leaf in v.leaves():
            if any(isinstance(m, Fix) for m in leaf.maps) and depends[leaf.source]:
                return False
    found: set[tuple[str, ...]] = set()
    for n in {1, num_outputs, 3 * num_outputs + unit}:
        request = Request(n, left, right, factor, tuple(graph.outputs))
        plan = make_plan(graph, request.output_times(), request.input_times())
        if "some" in plan.choices:
            return False
        found.add(tuple(plan.choices))
    return len(found) == 1

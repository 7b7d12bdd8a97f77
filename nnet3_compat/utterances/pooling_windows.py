"""Networks that pool statistics over thousands of frames, for as few frames as there are.

A window of pooling covers every utterance that may come. Only frames that exist are pooled, so a network of shorter
windows, as long as the chunk at hand and what other layers reach beyond it, gives the same output, and the time that
it takes to plan and to pool grows with the window.
"""

from __future__ import annotations

import copy

from nnet3_compat.components.statistics import StatisticsPoolingComponent
from nnet3_compat.structure.graph import Graph
from nnet3_compat.structure.nnet import Nnet
from nnet3_compat.structure.timeset import RoundDown, Shift


def reach(graph: Graph) -> int:
    """The most frames by which layers together, those that pool aside, move away from a time."""
    total = 0
    for value in graph.values:
        if value.tap_rule is not None and value.tap_rule.any_of:
            continue
        steps = (
            sum(
                abs(m.offset) if isinstance(m, Shift) else m.modulus if isinstance(m, RoundDown) else 0
                for m in leaf.maps
            )
            for leaf in value.leaves()
        )
        total += max(steps, default=0)
    return total


def with_windows(nnet: Nnet, most: int) -> Nnet:
    """The network with windows of pooling that reach at most this many frames to either side."""
    nnet = copy.deepcopy(nnet)
    for component in nnet.components.values():
        if isinstance(component, StatisticsPoolingComponent):
            bound = -(-most // component.input_period) * component.input_period
            component.left_context = min(component.left_context, bound)
            component.right_context = min(component.right_context, bound)
    return nnet

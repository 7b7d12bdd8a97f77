"""How many frames of context a network needs on either side, as Kaldi's ComputeSimpleNnetContext finds it.

It asks, for each shift up to the modulus, which outputs of a window of input are computable (nnet3/nnet-utils.cc).
No torch here: the info and am-* commands start fast.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from kaldi_bridge.errors import KaldiError
from nnet3_compat.structure.graph import Graph, build_graph
from nnet3_compat.structure.nnet import ComponentNode, InputNode, OutputNode
from nnet3_compat.structure.plan import make_plan

if TYPE_CHECKING:
    from nnet3_compat.structure.nnet import Nnet


MAX_MODULUS = 2000


def modulus(nnet: Nnet) -> int:
    """Shifting input and output by a multiple of this leaves the network's structure as it is (Nnet::Modulus)."""
    out = 1
    for node in nnet.nodes:
        if isinstance(node, (ComponentNode, OutputNode)):
            out = math.lcm(out, node.input.modulus())
    return out


def is_simple(nnet: Nnet) -> bool:
    """Whether there are nodes input, maybe ivector, and output, as the decoding programs expect (IsSimpleNnet)."""
    names = {node.name: node for node in nnet.nodes}
    if not isinstance(names.get("output"), OutputNode) or not isinstance(names.get("input"), InputNode):
        return False
    inputs = [node.name for node in nnet.nodes if isinstance(node, InputNode)]
    return len(inputs) == 1 or isinstance(names.get("ivector"), InputNode)


def _for_shift(graph: Graph, start: int, window: int, mod: int) -> tuple[int, int] | None:
    frames = np.arange(start, start + window)
    inputs = {"input": frames}
    if "ivector" in graph.inputs:  # at any time at which a rounded index might want it
        inputs["ivector"] = np.arange(start - mod, start + window)
    plan = make_plan(graph, {"output": frames}, inputs, partial=True)
    ok = np.zeros(window, bool)
    ok[plan.universe.times(plan.have[graph.outputs["output"]]) - start] = True
    if not ok.any():
        return None
    first = int(np.argmax(ok))
    rest = np.flatnonzero(~ok[first:])
    first_not = first + int(rest[0]) if len(rest) else window
    return first, window - first_not


def compute_context(nnet: Nnet) -> tuple[int, int]:
    """(left context, right context) in frames.

    Raises:
        KaldiError: the network is not simple (see is_simple) or needs more context than Kaldi looks for (800 frames).
    """
    if not is_simple(nnet):
        raise KaldiError(
            "the network needs an input node 'input' (and at most 'ivector' beside it) and an output node 'output'"
        )
    graph, mod = build_graph(nnet), modulus(nnet)
    if mod > MAX_MODULUS:
        raise KaldiError(
            f"the network repeats itself in time only every {mod} frames; up to {MAX_MODULUS} can be handled"
        )
    window = 40
    while window < 800:
        each = [_for_shift(graph, start, window, mod) for start in range(mod + 1)]
        found = [e for e in each if e is not None]
        if len(found) == len(each):
            if found[0] != found[mod]:
                raise KaldiError("the context of this network changes with a shift by its modulus, which it must not")
            return max(e[0] for e in found), max(e[1] for e in found)
        window *= 2
    raise KaldiError(
        "no window of up to 800 input frames makes an output computable (is something wrong with the network?)"
    )

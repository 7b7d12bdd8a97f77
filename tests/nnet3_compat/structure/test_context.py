"""Contexts and moduli as nnet3-info prints them, and plans by hand."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from kaldi_bridge.errors import KaldiError
from nnet3_compat.model.model_file import read_nnet
from nnet3_compat.structure.context import compute_context, modulus
from nnet3_compat.structure.graph import build_graph
from nnet3_compat.structure.invariance import chunk_invariant
from nnet3_compat.structure.layout import plan_layout
from nnet3_compat.structure.nnet import Nnet
from nnet3_compat.structure.plan import make_plan
from nnet3_compat.structure.request import Request


def simple(*lines: str) -> Nnet:
    return Nnet.from_config(["input-node name=input dim=2", *lines])


def test_reference_contexts(reference: Path) -> None:
    infos = sorted((reference / "zoo").glob("*/nnet3-info.txt"))
    assert len(infos) == 9
    for info in infos:
        nnet = read_nnet(str(info.parent / "model.raw"))
        text = info.read_text()
        found = {k: int(v) for k, v in re.findall(r"^(left-context|right-context|modulus): (\d+)", text, re.M)}
        left, right = compute_context(nnet)
        assert found == {"left-context": left, "right-context": right, "modulus": modulus(nnet)}, info.parent.name


def test_context_needs_no_torch() -> None:
    code = "import nnet3_compat.structure.context, sys; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_only_needed_frames() -> None:
    """Every third output needs every third frame of what feeds it at offset 0 and 3."""
    nnet = simple(
        "component name=a type=NoOpComponent dim=2",
        "component-node name=a component=a input=Offset(input, -1)",
        "component name=b type=NoOpComponent dim=4",
        "component-node name=b component=b input=Append(a, Offset(a, 3))",
        "output-node name=output input=b",
    )
    assert compute_context(nnet) == (1, 2)
    graph = build_graph(nnet)
    plan = make_plan(graph, {"output": np.arange(0, 12, 3)}, {"input": np.arange(-1, 13)})
    times = {v.node: plan.times(i) for i, v in enumerate(graph.values)}
    assert times["b"].tolist() == [0, 3, 6, 9]
    assert times["a"].tolist() == [0, 3, 6, 9, 12]
    assert times["input"].tolist() == [-1, 2, 5, 8, 11]


def test_optional_inputs() -> None:
    """IfDefined at the left edge: absent for the first frames, and so the outputs depend on the chunking."""
    nnet = simple(
        "component name=a type=NoOpComponent dim=2",
        "component-node name=a component=a input=Sum(input, IfDefined(Offset(input, -2)))",
        "output-node name=output input=a",
    )
    graph = build_graph(nnet)
    plan = make_plan(graph, {"output": np.arange(5)}, {"input": np.arange(5)})
    assert plan.choices == ["some"]
    assert not chunk_invariant(graph, 1, 0, 0, 10)
    assert compute_context(nnet) == (0, 0)


def test_failover_and_switch() -> None:
    nnet = simple(
        "component name=a type=NoOpComponent dim=2",
        "component-node name=a component=a input=Failover(Offset(input, -2), input)",
        "component name=s type=NoOpComponent dim=2",
        "component-node name=s component=s input=Switch(a, Offset(input, 1))",
        "output-node name=output input=Round(s, 2)",
    )
    assert modulus(nnet) == 2
    graph = build_graph(nnet)
    plan = make_plan(graph, {"output": np.arange(6)}, {"input": np.arange(6)})
    read = {v.node: plan.times(i).tolist() for i, v in enumerate(graph.values) if not v.is_input}
    assert read["s"] == [0, 2, 4]  # rounded down, and so only the first branch of the switch
    assert read["a"] == [0, 2, 4]
    assert plan.times(graph.inputs["input"]).tolist() == [0, 2]  # frame 0 for itself, then t - 2


def test_recurrence_is_cut_where_input_ends() -> None:
    nnet = simple(
        "component name=r type=AffineComponent input-dim=4 output-dim=2",
        "component-node name=r component=r input=Append(input, IfDefined(Offset(r, -3)))",
        "output-node name=output input=r",
    )
    graph = build_graph(nnet)
    plan = make_plan(graph, {"output": np.arange(0, 9, 3)}, {"input": np.arange(-5, 9)})
    r = next(i for i, v in enumerate(graph.values) if v.component)
    assert plan.times(r).tolist() == [-3, 0, 3, 6]
    backward = simple(
        "component name=r type=AffineComponent input-dim=4 output-dim=2",
        "component-node name=r component=r input=Append(Offset(input, 1), IfDefined(Offset(r, 2)))",
        "output-node name=output input=r",
    )
    graph = build_graph(backward)
    plan = make_plan(graph, {"output": np.arange(3)}, {"input": np.arange(8)})
    r = next(i for i, v in enumerate(graph.values) if v.component)
    assert plan.times(r).tolist() == [0, 1, 2, 3, 4, 5, 6]
    assert [g.direction for g in graph.groups if g.direction] == [1]


def test_x_indexes() -> None:
    """DistributeComponent spreads blocks over x; ReplaceIndex picks them up again."""
    nnet = Nnet.from_config(
        [
            "input-node name=input dim=6",
            "component name=d type=DistributeComponent input-dim=6 output-dim=2",
            "component-node name=d component=d input=input",
            "component name=o type=NoOpComponent dim=4",
            "component-node name=o component=o input=Append(ReplaceIndex(d, x, 2), ReplaceIndex(d, x, 0))",
            "output-node name=output input=o",
        ]
    )
    torch = pytest.importorskip("torch")
    from nnet3_compat.network.network import Network

    x = torch.arange(12.0).view(1, 2, 6)
    y = Network.from_nnet(nnet)(x)
    assert y.tolist() == [[[4.0, 5.0, 0.0, 1.0], [10.0, 11.0, 6.0, 7.0]]]


def test_what_cannot_be_computed_is_said() -> None:
    nnet = simple(
        "component name=r type=AffineComponent input-dim=4 output-dim=2",
        "component-node name=r component=r input=Append(input, Offset(r, -1))",
        "output-node name=output input=r",
    )
    with pytest.raises(KaldiError):
        compute_context(nnet)
    with pytest.raises(KaldiError, match="frame"):
        plan_layout(build_graph(nnet), Request(3, left=0, right=0))


def test_deep_network() -> None:
    """Deeper than Python's recursion limit."""
    lines = ["component name=c type=NoOpComponent dim=2"]
    for i in range(600):
        source = f"n{i - 1}" if i else "input"
        offset = 1 if i % 10 == 0 else 0
        lines.append(f"component-node name=n{i} component=c input=Offset({source}, {offset})")
    assert compute_context(simple(*lines, "output-node name=output input=n599")) == (0, 60)


def test_absurd_times_end_in_an_error() -> None:
    for descriptor in ("Offset(input, 2000000000)", "Round(input, 1000000007)", "ReplaceIndex(input, t, 1000000000)"):
        nnet = simple(f"output-node name=output input={descriptor}")
        with pytest.raises(KaldiError):
            compute_context(nnet)

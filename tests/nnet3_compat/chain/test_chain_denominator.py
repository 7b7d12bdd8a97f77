"""The denominator's implementations against its definition: C++, Triton (interpreted), PyChain."""

import copy
import pickle
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.fsts.fst import Fst
from nnet3_compat.chain import DenominatorGraph, backends
from nnet3_compat.chain.denominator import denominator, denominator_native, denominator_plain
from tests.helpers.chain_supervisions import denominator_graph
from tests.helpers.triton_programs import run_with_triton

LEAKY = 0.05


@pytest.fixture
def graph() -> DenominatorGraph:
    return denominator_graph()


def all_paths(graph: DenominatorGraph, output: np.ndarray, leaky: float) -> float:
    """The log-probability of one sequence, by powers of matrices. ``output``: [frames, pdfs]."""
    leak = np.eye(graph.num_states) + leaky * np.outer(np.ones(graph.num_states), graph.initial)
    alpha = graph.initial @ leak
    for frame in np.exp(output):
        step = np.zeros((graph.num_states, graph.num_states))
        np.add.at(step, (graph.source, graph.target), graph.probability * frame[graph.pdf])
        alpha = alpha @ step @ leak
    return float(np.log(alpha.sum()))


def test_plain_sums_all_paths(graph: DenominatorGraph) -> None:
    """In double precision, to 1e-9; float32 keeps the graph's own numbers."""
    output = torch.randn(7, 3, 4, dtype=torch.float64)
    lengths = torch.tensor([7, 1, 4])
    log_probs, posteriors = denominator_plain(graph, output, LEAKY, lengths)
    expected = [all_paths(graph, output[:n, i].numpy(), LEAKY) for i, n in enumerate(lengths.tolist())]
    assert log_probs.tolist() == pytest.approx(expected, abs=1e-9)
    assert denominator(graph, output, LEAKY, lengths)[0].item() == pytest.approx(sum(expected), abs=1e-9)
    inside = torch.arange(7).unsqueeze(1) < lengths
    assert torch.allclose(posteriors.sum(2), inside.double())


@pytest.mark.parametrize("backend", ["plain", "native"])
def test_unequal_lengths_are_each_sequence_alone(graph: DenominatorGraph, backend: str) -> None:
    """More sequences than lie side by side in registers; whatever padding holds. To 1e-5."""
    lengths = torch.tensor([9, 3, 1, 9, 5] * 8)
    output = 3.0 * torch.randn(9, 40, 4)
    for i, n in enumerate(lengths.tolist()):
        output[n:, i] = [torch.nan, torch.inf, 7.0][i % 3]
    log_prob, posteriors = denominator(graph, output, LEAKY, lengths, backend)
    total = 0.0
    for i, n in enumerate(lengths.tolist()):
        alone, alone_posteriors = denominator(graph, output[:n, i : i + 1], LEAKY, backend=backend)
        total += alone.item()
        assert torch.allclose(posteriors[:n, i], alone_posteriors[:, 0], atol=1e-6)
        assert not posteriors[n:, i].any()
    assert log_prob.item() == pytest.approx(total, rel=1e-5)


@pytest.mark.parametrize("sequences", [1, 15, 16, 17, 40])
def test_native_computes_what_plain_does(graph: DenominatorGraph, sequences: int) -> None:
    """Whole blocks of sequences and parts of one; outputs beyond the limit too."""
    output = 8.0 * torch.randn(20, sequences, 4)
    lengths = torch.full((sequences,), 20)
    log_probs, posteriors = denominator_plain(graph, output.double(), LEAKY, lengths)
    found, found_posteriors = denominator_native(graph, output, LEAKY, lengths)
    assert found.tolist() == pytest.approx(log_probs.tolist(), rel=1e-5)
    assert torch.allclose(found_posteriors.double(), posteriors, atol=1e-5)


def test_any_number_of_threads_computes_the_same(graph: DenominatorGraph) -> None:
    """To the last bit."""
    output, before = torch.randn(12, 50, 4), torch.get_num_threads()
    results = []
    try:
        for threads in (1, 2, 7):
            torch.set_num_threads(threads)
            results.append(denominator(graph, output, LEAKY, torch.randint(1, 13, (50,), generator=_seeded())))
    finally:
        torch.set_num_threads(before)
    for log_prob, posteriors in results[1:]:
        assert torch.equal(log_prob, results[0][0])
        assert torch.equal(posteriors, results[0][1])


def _seeded() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def test_extension_refuses_what_does_not_fit(graph: DenominatorGraph) -> None:
    from nnet3_compat.chain import _csrc

    parts = [graph.source, graph.target, graph.pdf, graph.probability, graph.initial]
    native = _csrc.DenominatorGraph(*parts, graph.num_pdfs)
    for shape in ((0, 2, 4), (3, 2, 5), (3, 4)):
        with pytest.raises(ValueError, match="frames, sequences, pdfs"):
            native.forward_backward(np.ones(shape, np.float32), [1, 1], 0.1, 1)
    for lengths in ([3], [0, 3], [4, 3]):
        with pytest.raises(ValueError, match="length"):
            native.forward_backward(np.ones((3, 2, 4), np.float32), lengths, 0.1, 1)
    with pytest.raises(ValueError, match="does not exist"):
        _csrc.DenominatorGraph(*parts, graph.num_pdfs - 1)
    with pytest.raises(ValueError, match="different sizes"):
        _csrc.DenominatorGraph(parts[0][:-1], *parts[1:], graph.num_pdfs)


def test_long_sequences_do_not_overflow(graph: DenominatorGraph) -> None:
    output = 25.0 * torch.randn(3000, 2, 4).clamp(-1, 1)
    log_prob, posteriors = denominator(graph, output, 0.1)
    double, _ = denominator(graph, output.double(), 0.1)
    assert log_prob.item() == pytest.approx(double.item(), rel=1e-5)
    assert torch.allclose(posteriors.sum(2), torch.ones(3000, 2), atol=1e-3)


def test_graphs_are_copied_and_pickled(graph: DenominatorGraph) -> None:
    """After they were used, too."""
    output = torch.randn(5, 2, 4)
    expected, _ = denominator(graph, output, LEAKY)
    for other in (copy.deepcopy(graph), pickle.loads(pickle.dumps(graph))):
        assert denominator(other, output, LEAKY)[0] == expected


def test_graphs_must_fit() -> None:
    with pytest.raises(KaldiError, match="labels from 1 to 4"):
        DenominatorGraph.from_fst(Fst.from_arcs(0, {0: 0.0}, [(0, 1, 1, 0.0, 0), (0, 4, 4, 0.0, 0)]), 3)


@pytest.mark.parametrize("lengths", [[5], [6, 5], [0, 5]])
def test_lengths_must_fit(graph: DenominatorGraph, lengths: list[int]) -> None:
    with pytest.raises(KaldiError, match="do not fit 2 sequences of at most 5 frames"):
        denominator(graph, torch.zeros(5, 2, 4), LEAKY, torch.tensor(lengths))


# Choosing.


def test_backends_that_cannot_be_had_say_why(graph: DenominatorGraph, monkeypatch: pytest.MonkeyPatch) -> None:
    output = torch.randn(3, 2, 4)
    assert backends.choose("auto", output) == "native"
    assert backends.choose("auto", output.double()) == "plain"
    monkeypatch.setitem(sys.modules, "pychain", types.ModuleType("pychain"))  # the registry's, a blockchain client
    for backend, what in (("pychain", "cannot be imported"), ("triton", "Nvidia"), ("cuda", "must be one of")):
        with pytest.raises(KaldiError, match=what):
            denominator(graph, output, LEAKY, backend=backend)
    with pytest.raises(KaldiError, match="float32"):
        denominator(graph, output.double(), LEAKY, backend="native")
    monkeypatch.setattr(backends, "extension", lambda: None)
    assert backends.choose("auto", output) == "plain"
    with pytest.raises(KaldiError, match="not built"):
        denominator(graph, output, LEAKY, backend="native")


# PyChain: the real one where it is installed, and always one with its interface that computes with the plain version.


class FakeChainFunction(torch.autograd.Function):
    """Checks what PyChain's C++ would crash on, and computes from the tables it was given."""

    @staticmethod
    def forward(ctx: Any, output: Tensor, lengths: Tensor, graphs: Any, leaky_coefficient: float) -> Tensor:
        assert not graphs.log_domain
        assert output.is_contiguous() and output.shape[0] == graphs.batch_size
        assert (lengths.diff() <= 0).all(), "the longest sequence comes first"
        assert torch.equal(graphs.initial_probs, graphs.leaky_probs)
        assert (graphs.final_probs == 1.0).all()
        made = []
        for direction, column in (("forward", 0), ("backward", 1)):
            transitions, indices, probs = (
                getattr(graphs, f"{direction}_{name}")
                for name in ("transitions", "transition_indices", "transition_probs")
            )
            assert transitions.dtype == indices.dtype == torch.int32
            assert all(x.is_contiguous() and (x == x[:1]).all() for x in (transitions, indices, probs))
            counts = (indices[0, :, 1] - indices[0, :, 0]).long()
            state = torch.repeat_interleave(torch.arange(graphs.num_states), counts)
            assert torch.equal(state, transitions[0, :, column].long())
            source, target, pdf = transitions[0].long().numpy().T
            initial = graphs.initial_probs[0].numpy()
            graph = DenominatorGraph(graphs.num_states, output.shape[2], source, target, pdf, probs[0].numpy(), initial)
            made.append(denominator_plain(graph, output.transpose(0, 1), leaky_coefficient, lengths))
        assert torch.allclose(made[0][1], made[1][1], atol=1e-6)
        ctx.save_for_backward(made[0][1].transpose(0, 1))
        return made[0][0].sum()

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Any:
        (posteriors,) = ctx.saved_tensors
        return gradient * posteriors, None, None, None


@pytest.mark.parametrize("installed", [False, True])
def test_pychain_computes_the_same(graph: DenominatorGraph, installed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sequences in any order of lengths; to 1e-5."""
    if installed and backends.pychain() is None:
        pytest.skip("PyChain is not installed")
    if not installed:
        fake: Any = types.ModuleType("pychain")
        fake.ChainGraph = fake.ChainGraphBatch = object
        fake.ChainFunction = FakeChainFunction
        monkeypatch.setitem(sys.modules, "pychain", fake)
        monkeypatch.setitem(sys.modules, "pychain_C", types.ModuleType("pychain_C"))
    for lengths in (torch.tensor([3, 6, 1, 6]), torch.tensor([6, 6])):
        output = 2.0 * torch.randn(6, len(lengths), 4)
        expected, posteriors = denominator(graph, output, LEAKY, lengths, "plain")
        found, found_posteriors = denominator(graph, output, LEAKY, lengths, "pychain")
        assert found.item() == pytest.approx(expected.item(), rel=1e-5)
        assert torch.allclose(found_posteriors, posteriors, atol=1e-5)


# Triton: there is no GPU where these tests were written. Its interpreter runs the kernels on the CPU, and its compiler
# makes code for GPUs that are not there.

INTERPRETED = """
import torch
from nnet3_compat.chain.denominator import denominator_plain
from nnet3_compat.chain.denominator_triton import denominator_triton
from tests.helpers.chain_supervisions import crowded_graph, denominator_graph

torch.manual_seed(0)
together, apart = {}, {"programs": 3, "frames_per_launch": 1}
for graph, sequences, frames, how in (
    (denominator_graph(), 3, 4, together), (denominator_graph(), 18, 2, apart), (crowded_graph(), 2, 3, together)
):
    output = 4.0 * torch.randn(frames, sequences, graph.num_pdfs)
    lengths = torch.randint(1, frames + 1, (sequences,))
    lengths[1] = frames
    found, found_posteriors = denominator_triton(graph, output, 0.1, lengths, **how)
    expected, posteriors = denominator_plain(graph, output.double(), 0.1, lengths)
    assert ((found - expected).abs() < 1e-5 * expected.abs()).all(), (found, expected)
    assert (found_posteriors - posteriors).abs().max() < 1e-5
"""

INTERPRETED_ON_KALDIS = """
import json
import sys
import torch
from kaldi_bridge.tables.holders import FLOAT_MATRIX
from kaldi_bridge.tables import RandomAccessReader
from nnet3_compat.chain import DenominatorGraph
from nnet3_compat.chain.denominator import denominator
from nnet3_compat.chain.denominator_triton import denominator_triton

folder, key, sequences = sys.argv[1], "merged-1-8", 8
graph = DenominatorGraph.read(f"{folder}/den.fst", 72)
with RandomAccessReader(f"ark:{folder}/leaky0.1.ark", FLOAT_MATRIX) as matrices:
    output = torch.from_numpy(matrices[f"{key}.output"]).view(-1, sequences, 72)
with open(f"{folder}/leaky0.1.jsonl") as lines:
    (expected,) = (row["den_logprob"] for row in map(json.loads, lines) if row["key"] == key)
found, posteriors = denominator_triton(graph, output, 0.1, torch.full((sequences,), len(output)))
assert abs(found.sum() - expected) < 1e-4 * abs(expected), (found.sum(), expected)
assert (posteriors - denominator(graph, output, 0.1)[1]).abs().max() < 1e-5
"""

COMPILED = """
from triton import compile
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource
from nnet3_compat.chain import denominator_triton as kernels

INTEGERS = ("first", "last", "num_states", "num_pdfs", "num_rows", "programs")
TABLES = ("counters", "lengths", "row_state", "row_pdf", "row_begin", "row_length")

def kind(name):
    if name in INTEGERS:
        return "i32"
    if name in TABLES or name.startswith("arc_") and name != "arc_prob":
        return "*i32"
    return "fp32" if name == "all_leaks" else "*fp32"

sizes = {"LANES": kernels.LANES, "ROWS": kernels.ROWS}
# Triton makes constants of integers that are 1, as one frame, or one state, has them.
ones = dict.fromkeys(("last", "num_states", "num_rows", "programs"), 1)
every = (kernels._forward, kernels._backward, kernels._posteriors)
for kernel, known in [(kernel, {**sizes, **constants}) for kernel in every for constants in ({}, ones)]:
    known = {name: value for name, value in known.items() if name in kernel.arg_names}
    types = {name: "constexpr" if name in known else kind(name) for name in kernel.arg_names}
    source = ASTSource(kernel, types, constexprs=known)
    made = compile(source, target=GPUTarget("cuda", 80, 32), options={"num_warps": kernels.WARPS})
    assert made.asm["cubin"]
    # What a waiting program sees must be what the others have stored.
    waits = kernel is not kernels._posteriors
    assert ("ld.global.gpu.acquire" in made.asm["ptx"]) == waits
    assert (".gpu.release" in made.asm["ptx"]) == waits
"""


@pytest.mark.slow
def test_triton_kernels_interpreted() -> None:
    run_with_triton(INTERPRETED, TRITON_INTERPRET="1")


@pytest.mark.slow
def test_triton_kernels_interpreted_compute_kaldis_numbers(reference: Path) -> None:
    run_with_triton(INTERPRETED_ON_KALDIS, str(reference / "lfmmi"), TRITON_INTERPRET="1")


@pytest.mark.slow
def test_triton_kernels_compile_for_a_gpu(tmp_path: Path) -> None:
    run_with_triton(COMPILED, TRITON_INTERPRET="0", TRITON_CACHE_DIR=str(tmp_path))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_triton_on_a_gpu(graph: DenominatorGraph) -> None:
    lengths = torch.randint(1, 31, (70,))
    lengths[0] = 30
    output = 4.0 * torch.randn(30, 70, 4)
    expected, posteriors = denominator(graph, output.double(), LEAKY, lengths, "plain")
    found, found_posteriors = denominator(graph, output.cuda(), LEAKY, lengths, "triton")
    assert found.item() == pytest.approx(expected.item(), rel=1e-5)
    assert torch.allclose(found_posteriors.cpu().double(), posteriors, atol=1e-5)

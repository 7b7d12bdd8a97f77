"""LF-MMI: Kaldi's numbers on real supervision, gradients by finite differences, and hopeless input."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from kaldi_bridge.chain_examples import CHAIN_EXAMPLE
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.fst import Fst, read_fst
from kaldi_bridge.holders import FLOAT_MATRIX
from kaldi_bridge.supervision import Supervision
from kaldi_bridge.tables import RandomAccessReader, SequentialReader
from nnet3_compat.chain.denominator import denominator, denominator_plain
from nnet3_compat.chain.denominator_graph import DenominatorGraph
from nnet3_compat.chain.numerator import NumeratorGraph, numerator, numerator_plain
from nnet3_compat.chain.objective import ChainLoss, chain_objective
from nnet3_compat.chain.options import ChainOptions

OPTIONS = {
    "leaky0.1": ChainOptions(leaky_hmm_coefficient=0.1, l2_regularize=0.0, xent_regularize=0.1),
    "leaky1e-5": ChainOptions(leaky_hmm_coefficient=1e-5, l2_regularize=5e-4),
}


@pytest.mark.parametrize("name", list(OPTIONS))
def test_kaldis_numbers(reference: Path, name: str) -> None:
    """Log-probabilities to 1e-4 relative, derivatives to 1e-3 of the largest."""
    folder, options = reference / "lfmmi", OPTIONS[name]
    expected = {row["key"]: row for row in map(json.loads, (folder / f"{name}.jsonl").read_text().splitlines())}
    assert expected
    with (
        RandomAccessReader(f"ark:{folder}/{name}.ark", FLOAT_MATRIX) as matrices,
        SequentialReader(f"ark:{folder}/merged.cegs", CHAIN_EXAMPLE) as examples,
    ):
        for key, example in examples:
            supervision, row = example.outputs[0].supervision, expected.pop(key)
            graph = DenominatorGraph.from_fst(read_fst(f"{folder}/den.fst"), supervision.label_dim)
            output = torch.from_numpy(matrices[f"{key}.output"])
            result = chain_objective(graph, supervision, output, options)
            assert result.ok
            assert result.weight == row["weight"]
            assert result.objective.item() == pytest.approx(row["objf"], rel=1e-4)
            assert result.l2_term.item() == pytest.approx(row["l2_term"], rel=1e-4)
            shaped = output.view(supervision.frames_per_sequence, supervision.num_sequences, -1)
            den_log_prob, _ = denominator(graph, shaped, options.leaky_hmm_coefficient)
            num_log_prob, _ = numerator(supervision, shaped)
            assert den_log_prob.sum().item() == pytest.approx(row["den_logprob"], rel=1e-4)
            assert num_log_prob.item() == pytest.approx(row["num_logprob"], rel=1e-4)
            derivative, posteriors = (torch.from_numpy(matrices[f"{key}.{n}"]) for n in ("deriv", "xent_deriv"))
            assert (result.derivative - derivative).abs().max() < 1e-3 * derivative.abs().max()
            assert (result.numerator_posteriors - posteriors).abs().max() < 1e-3 * posteriors.abs().max()
    assert not expected


def test_initial_probabilities_are_kaldis(reference: Path) -> None:
    graph = DenominatorGraph.from_fst(read_fst(f"{reference}/lfmmi/den.fst"), 72)
    with RandomAccessReader(f"ark:{reference}/lfmmi/leaky0.1.ark", FLOAT_MATRIX) as matrices:
        kaldis = matrices["den-initial-probs"]
    assert np.allclose(graph.initial, kaldis.ravel(), rtol=1e-4, atol=1e-7)


@pytest.fixture
def graph() -> DenominatorGraph:
    """Three states, four pdfs."""
    arcs = [
        (0, 1, 1, 0.7, 1),
        (0, 2, 2, 0.7, 2),
        (1, 3, 3, 1.1, 0),
        (1, 1, 1, 0.4, 1),
        (2, 4, 4, 0.5, 0),
        (2, 2, 2, 0.9, 1),
    ]
    return DenominatorGraph.from_fst(Fst.from_arcs(0, {0: 2.0}, arcs), 4)


def two_sequences(meeting_states: int = 1) -> Supervision:
    """Two sequences of three frames, each with an alternative; the first may end in two states."""
    arcs = [
        (0, 1, 1, 0.0, 1),
        (0, 2, 2, 0.3, 1),
        (1, 1, 1, 0.0, 2),
        (2, 3, 3, 0.0, 3),
        (3, 2, 2, 0.0, 4),
        (4, 2, 2, 0.2, 5),
    ]
    arcs += [(4, 4, 4, 0.4, 5), (5, 1, 1, 0.0, 6)]
    if meeting_states == 2:
        arcs += [(2, 1, 1, 0.1, 7), (7, 2, 2, 0.5, 4)]
    return Supervision(1.0, 2, 3, 4, Fst.from_arcs(0, {6: 0.25}, arcs))


def paths_log_prob(fst: Fst, output: np.ndarray) -> float:
    """By trying every path; ``output`` [time, pdfs], sequences one after the other."""
    total, stack = -np.inf, [(fst.start, 0, 0.0)]
    while stack:
        state, time, score = stack.pop()
        if time == len(output):
            total = np.logaddexp(total, score - float(fst.finals[state]))
            continue
        for label, _, weight, target in fst.arcs_of(state).tolist():
            stack.append((target, time + 1, score - weight + output[time, label - 1]))
    return float(total)


@pytest.mark.parametrize("meeting_states", [1, 2])
def test_numerator_sums_all_paths(meeting_states: int) -> None:
    supervision = two_sequences(meeting_states)
    output = torch.randn(3, 2, 4, dtype=torch.float64)
    graph = NumeratorGraph(supervision)
    assert graph.num_groups == (2 if meeting_states == 1 else 1)
    total, posteriors = numerator_plain(graph, output)
    assert supervision.fst is not None
    in_time = output.transpose(0, 1).reshape(6, 4).numpy()
    assert total.item() == pytest.approx(paths_log_prob(supervision.fst, in_time), abs=1e-9)
    assert torch.allclose(posteriors.sum(2), torch.ones(3, 2, dtype=torch.float64))


def flat_start() -> Supervision:
    """Two sequences with loops, which pass through their states at any times."""
    first = Fst.from_arcs(
        0, {2: 0.5}, [(0, 1, 1, 0.1, 0), (0, 2, 2, 0.3, 1), (1, 2, 2, 0.2, 1), (1, 3, 3, 0.7, 2), (2, 3, 3, 0.4, 2)]
    )
    second = Fst.from_arcs(0, {1: 0.0, 0: 1.0}, [(0, 4, 4, 0.2, 1), (1, 4, 4, 0.3, 1), (0, 1, 1, 0.9, 0)])
    return Supervision(1.0, 2, 4, 4, None, [first, second])


def test_flat_start_sums_all_paths() -> None:
    supervision = flat_start()
    output = torch.randn(4, 2, 4, dtype=torch.float64)
    total, posteriors = numerator_plain(NumeratorGraph(supervision), output)
    expected = sum(paths_log_prob(fst, output[:, i].numpy()) for i, fst in enumerate(supervision.e2e_fsts))
    assert total.item() == pytest.approx(expected, abs=1e-9)
    assert torch.allclose(posteriors.sum(2), torch.ones(4, 2, dtype=torch.float64))


def test_flat_start_gradients(graph: DenominatorGraph) -> None:
    loss = ChainLoss(graph, ChainOptions(leaky_hmm_coefficient=0.1, xent_regularize=0.2))
    output = torch.randn(8, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: loss(x, flat_start()), (output,), atol=1e-6)


def test_impossible_flat_start(graph: DenominatorGraph) -> None:
    """No path is as long as the chunk: the minibatch is dropped."""
    supervision = flat_start()
    supervision.e2e_fsts[0] = Fst.from_arcs(0, {1: 0.0}, [(0, 1, 1, 0.0, 1)])
    result = chain_objective(graph, supervision, torch.randn(8, 4), ChainOptions())
    assert not result.ok
    assert not result.derivative.any()


@pytest.mark.parametrize("meeting_states", [1, 2])
def test_gradients(graph: DenominatorGraph, meeting_states: int) -> None:
    supervision = two_sequences(meeting_states)
    loss = ChainLoss(graph, ChainOptions(l2_regularize=0.01, leaky_hmm_coefficient=0.1, xent_regularize=0.2))
    output = torch.randn(6, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: loss(x, supervision), (output,), atol=1e-6)
    xent_output = torch.randn(6, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: loss(output.detach(), supervision, x), (xent_output,), atol=1e-6)


@pytest.mark.parametrize("sequences", [1, 15, 16, 17, 40])
@pytest.mark.parametrize("threads", [1, 3])
def test_extension_computes_what_plain_pytorch_does(graph: DenominatorGraph, sequences: int, threads: int) -> None:
    """Whole blocks of sequences and parts of one; outputs beyond the limit too."""
    from nnet3_compat.chain import _csrc

    native = _csrc.DenominatorGraph(
        graph.source, graph.target, graph.pdf, graph.probability, graph.initial, graph.num_pdfs
    )
    output = 8.0 * torch.randn(20, sequences, 4)
    log_prob, posteriors = denominator_plain(graph, output.double(), 0.05)
    found, found_posteriors = native.forward_backward(output.clamp(-30, 30).exp().numpy(), 0.05, threads)
    assert np.allclose(found, log_prob, rtol=1e-5)
    assert np.allclose(found_posteriors, posteriors, atol=1e-5)


def test_extension_refuses_what_does_not_fit(graph: DenominatorGraph) -> None:
    from nnet3_compat.chain import _csrc

    parts = [graph.source, graph.target, graph.pdf, graph.probability, graph.initial]
    native = _csrc.DenominatorGraph(*parts, graph.num_pdfs)
    for shape in ((0, 2, 4), (3, 2, 5), (3, 4)):
        with pytest.raises(ValueError, match="frames, sequences, pdfs"):
            native.forward_backward(np.ones(shape, np.float32), 0.1, 1)
    with pytest.raises(ValueError, match="does not exist"):
        _csrc.DenominatorGraph(*parts, graph.num_pdfs - 1)
    with pytest.raises(ValueError, match="different sizes"):
        _csrc.DenominatorGraph(parts[0][:-1], *parts[1:], graph.num_pdfs)


def test_long_sequences_do_not_overflow(graph: DenominatorGraph) -> None:
    output = 25.0 * torch.randn(3000, 2, 4).clamp(-1, 1)
    log_prob, posteriors = denominator(graph, output, 0.1)
    double, _ = denominator(graph, output.double(), 0.1)
    assert torch.allclose(log_prob.double(), double, rtol=1e-5)
    assert torch.allclose(posteriors.sum(2), torch.ones(3000, 2), atol=1e-3)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_useless_minibatches_are_dropped(
    graph: DenominatorGraph, value: float, capfd: pytest.CaptureFixture[str]
) -> None:
    output = torch.randn(6, 4)
    output[3, 1] = value
    result = chain_objective(graph, two_sequences(), output, ChainOptions())
    assert not result.ok
    assert result.objective.item() == -60.0
    assert not result.derivative.any()
    assert not result.numerator_posteriors.any()
    assert "WARNING" in capfd.readouterr().err


def test_out_of_range_outputs_are_pulled_back(graph: DenominatorGraph) -> None:
    output = torch.zeros(6, 4)
    output[0, 3] = 40.0
    with_penalty, without = (
        chain_objective(graph, two_sequences(), output, ChainOptions(out_of_range_regularize=r)).derivative
        for r in (0.01, 0.0)
    )
    expected = torch.zeros(6, 4)
    expected[0, 3] = -0.1
    assert torch.allclose(with_penalty - without, expected, atol=1e-6)


def test_shapes_must_fit(graph: DenominatorGraph) -> None:
    with pytest.raises(KaldiError, match="3 frames of 2 sequences"):
        chain_objective(graph, two_sequences(), torch.zeros(5, 4), ChainOptions())
    with pytest.raises(KaldiError, match="labels from 1 to 4"):
        DenominatorGraph.from_fst(Fst.from_arcs(0, {0: 0.0}, [(0, 1, 1, 0.0, 0), (0, 4, 4, 0.0, 0)]), 3)


@pytest.mark.parametrize(
    "arcs", [[(0, 1, 1, 0.0, 1)], [(0, 1, 1, 0.0, 1), (1, 1, 1, 0.0, 2), (0, 1, 1, 0.0, 2)], [(0, 1, 1, 0.0, 0)]]
)
def test_supervision_of_another_length(arcs: list[tuple[int, int, int, float, int]]) -> None:
    last = max(arc[4] for arc in arcs)
    with pytest.raises(KaldiError, match=r"supervision has (a path|two paths|states)"):
        NumeratorGraph(Supervision(1.0, 1, 2, 1, Fst.from_arcs(0, {last: 0.0}, arcs)))

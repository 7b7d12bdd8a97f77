"""LF-MMI: Kaldi's numbers on real supervision, gradients by finite differences, and hopeless input."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from chain_supervisions import denominator_graph, flat_start, two_sequences

from kaldi_bridge.chain_examples import CHAIN_EXAMPLE
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.fst import Fst, read_fst
from kaldi_bridge.holders import FLOAT_MATRIX
from kaldi_bridge.supervision import Supervision
from kaldi_bridge.tables import RandomAccessReader, SequentialReader
from nnet3_compat.chain import ChainLoss, ChainOptions, DenominatorGraph, chain_objective
from nnet3_compat.chain.denominator import denominator
from nnet3_compat.chain.numerator import numerator, numerator_plain
from nnet3_compat.chain.numerator_graph import NumeratorGraph

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
            num_log_prob, _ = numerator([supervision], shaped)
            assert den_log_prob.item() == pytest.approx(row["den_logprob"], rel=1e-4)
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
    return denominator_graph()


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


@pytest.mark.parametrize(
    "arcs", [[(0, 1, 1, 0.0, 1)], [(0, 1, 1, 0.0, 1), (1, 1, 1, 0.0, 2), (0, 1, 1, 0.0, 2)], [(0, 1, 1, 0.0, 0)]]
)
def test_supervision_of_another_length(arcs: list[tuple[int, int, int, float, int]]) -> None:
    last = max(arc[4] for arc in arcs)
    with pytest.raises(KaldiError, match=r"supervision has (a path|two paths|states)"):
        NumeratorGraph(Supervision(1.0, 1, 2, 1, Fst.from_arcs(0, {last: 0.0}, arcs)))

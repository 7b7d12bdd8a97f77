"""LF-MMI: Kaldi's numbers on real supervision, gradients by finite differences, and hopeless input."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.examples.chain_examples import CHAIN_EXAMPLE
from kaldi_bridge.examples.supervision import Supervision
from kaldi_bridge.fsts.fst import Fst, read_fst
from kaldi_bridge.tables import RandomAccessReader, SequentialReader
from kaldi_bridge.tables.holders import FLOAT_MATRIX
from nnet3_compat.chain import ChainLoss, ChainOptions, DenominatorGraph, chain_objective
from nnet3_compat.chain.denominator import denominator
from nnet3_compat.chain.numerator import numerator, numerator_plain
from nnet3_compat.chain.numerator_graph import NumeratorGraph
from tests.helpers.chain_supervisions import denominator_graph, flat_start, one_sequence, two_sequences

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


@pytest.mark.parametrize(
    "supervisions",
    [[two_sequences()], [two_sequences(2)], [flat_start()], [one_sequence(2), two_sequences(), flat_start()]],
)
def test_numerator_in_cpp(supervisions: list[Supervision]) -> None:
    """Against the plain version, to 1e-5; on several threads the same to the last bit."""
    frames = max(s.frames_per_sequence for s in supervisions)
    output = 3.0 * torch.randn(frames, sum(s.num_sequences for s in supervisions), 4)
    expected, posteriors = numerator(supervisions, output.double())
    found, found_posteriors = numerator(supervisions, output)
    assert found.item() == pytest.approx(expected.item(), rel=1e-5)
    assert torch.allclose(found_posteriors.double(), posteriors, atol=1e-5)
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(before + 1)
        again, again_posteriors = numerator(supervisions, output)
    finally:
        torch.set_num_threads(before)
    assert torch.equal(again, found)
    assert torch.equal(again_posteriors, found_posteriors)


@pytest.mark.parametrize("supervision", [two_sequences(1), two_sequences(2), flat_start()])
def test_gradients(graph: DenominatorGraph, supervision: Supervision) -> None:
    """By finite differences, in double precision."""
    rows = 2 * supervision.frames_per_sequence
    loss = ChainLoss(graph, ChainOptions(l2_regularize=0.01, leaky_hmm_coefficient=0.1, xent_regularize=0.2))
    output = torch.randn(rows, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: loss(x, supervision), (output,), atol=1e-6)
    xent_output = torch.randn(rows, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: loss(output.detach(), supervision, x), (xent_output,), atol=1e-6)


def test_gradients_of_a_batch_of_unequal_lengths(graph: DenominatorGraph) -> None:
    loss = ChainLoss(graph, ChainOptions(l2_regularize=0.01, leaky_hmm_coefficient=0.1))
    output = torch.randn(3, 5, 4, dtype=torch.float64, requires_grad=True)
    supervisions = [one_sequence(2), one_sequence(5), one_sequence(1)]
    assert torch.autograd.gradcheck(lambda x: loss(x, supervisions), (output,), atol=1e-6)


OPTIONS_OF_ALL = ChainOptions(
    l2_regularize=0.01, leaky_hmm_coefficient=0.1, xent_regularize=0.2, out_of_range_regularize=0.1
)


def test_a_batch_is_its_sequences(graph: DenominatorGraph) -> None:
    """Derivatives and value of sequences of unequal length are those of each one alone, to 1e-5; padding has none."""
    lengths = [3, 7, 1, 7]
    supervisions = [one_sequence(n) for n in lengths]
    loss = ChainLoss(graph, OPTIONS_OF_ALL)
    output = (20.0 * torch.randn(4, 7, 4)).requires_grad_()
    with torch.no_grad():
        output[0, 3:] = torch.nan
    xent_output = torch.randn(4, 7, 4).log_softmax(2).requires_grad_()
    value = loss(output, supervisions, xent_output, lengths=torch.tensor(lengths))
    value.backward()
    total = 0.0
    for i, n in enumerate(lengths):
        alone, xent_alone = (x[i, :n].detach().clone().requires_grad_() for x in (output, xent_output))
        part = loss(alone, supervisions[i], xent_alone) * (n / sum(lengths))
        part.backward()
        total += part.item()
        for whole, single in ((output, alone), (xent_output, xent_alone)):
            assert torch.allclose(whole.grad[i, :n], single.grad, atol=1e-5)
            assert not whole.grad[i, n:].any()
    assert value.item() == pytest.approx(total, rel=1e-5)
    with pytest.raises(KaldiError, match="but the supervisions have"):
        loss(output, supervisions, lengths=torch.tensor([3, 7, 2, 7]))


def test_batch_first_is_kaldis_layout_transposed(graph: DenominatorGraph) -> None:
    loss = ChainLoss(graph, OPTIONS_OF_ALL)
    batch_first = torch.randn(2, 3, 4, requires_grad=True)
    rows = batch_first.detach().transpose(0, 1).reshape(6, 4).requires_grad_()
    values = [loss(x, two_sequences()) for x in (batch_first, rows)]
    for value in values:
        value.backward()
    assert values[0].item() == pytest.approx(values[1].item())
    assert torch.allclose(batch_first.grad.transpose(0, 1).reshape(6, 4), rows.grad)


def test_deriv_weights_multiply_derivatives_only(graph: DenominatorGraph) -> None:
    """Those of both outputs, with the L2 term and the penalty; the value stays (nnet3/nnet-chain-training.cc)."""
    loss = ChainLoss(graph, OPTIONS_OF_ALL)
    start, xent_start = 20.0 * torch.randn(6, 4), torch.randn(6, 4).log_softmax(1)
    weights = torch.tensor([0.0, 1.0, 0.5, 1.0, 2.0, 0.25])
    made = []
    for given in (None, weights):
        output, xent_output = start.clone().requires_grad_(), xent_start.clone().requires_grad_()
        value = loss(output, two_sequences(), xent_output, deriv_weights=given)
        value.backward()
        made.append((value.item(), output.grad, xent_output.grad))
    assert made[0][0] == made[1][0]
    for plain, weighted in zip(made[0][1:], made[1][1:], strict=True):
        assert torch.allclose(plain * weights.unsqueeze(1), weighted)
    with pytest.raises(KaldiError, match="do not fit"):
        loss(start, two_sequences(), deriv_weights=weights[:5])


def test_half_precision(graph: DenominatorGraph) -> None:
    """As of automatic mixed precision: computed in single precision, to that of bfloat16."""
    loss = ChainLoss(graph, OPTIONS_OF_ALL)
    half = (20.0 * torch.randn(2, 3, 4)).bfloat16().requires_grad_()
    single = half.detach().float().requires_grad_()
    values = [loss(x, two_sequences()) for x in (half, single)]
    for value in values:
        value.backward()
    assert values[0] == values[1]
    assert half.grad.dtype == torch.bfloat16
    assert torch.equal(half.grad, single.grad.bfloat16())


def impossible() -> Supervision:
    """No path is as long as the chunk."""
    supervision = flat_start()
    supervision.e2e_fsts[0] = Fst.from_arcs(0, {1: 0.0}, [(0, 1, 1, 0.0, 1)])
    return supervision


@pytest.mark.parametrize("backend", ["plain", "native"])
@pytest.mark.parametrize("what", ["a NaN", "infinite", "all NaN", "impossible"])
def test_useless_minibatches_are_dropped(
    graph: DenominatorGraph, what: str, backend: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """With a warning, -10 per frame, and derivatives of zero."""
    supervision = impossible() if what == "impossible" else flat_start()
    output, xent_output = torch.randn(8, 4, requires_grad=True), torch.randn(8, 4, requires_grad=True)
    with torch.no_grad():
        if what == "all NaN":
            output[:] = xent_output[:] = torch.nan
        elif what != "impossible":
            output[3, 1] = torch.nan if what == "a NaN" else torch.inf
    loss = ChainLoss(graph, OPTIONS_OF_ALL, backend)
    value = loss(output, supervision, xent_output)
    value.backward()
    assert value.item() == 10.0
    assert loss.dropped == 1
    for grad in (output.grad, xent_output.grad):
        assert grad is not None and not grad.any()
    assert "WARNING" in capfd.readouterr().err
    assert not chain_objective(graph, supervision, output, ChainOptions(), backend).ok


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
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_supervision_of_another_length(arcs: list[tuple[int, int, int, float, int]], dtype: torch.dtype) -> None:
    """Said by the plain version and by the one in C++."""
    last = max(arc[4] for arc in arcs)
    supervision = Supervision(1.0, 1, 2, 1, Fst.from_arcs(0, {last: 0.0}, arcs))
    with pytest.raises(KaldiError, match=r"supervision has (a path|two paths|states)"):
        numerator([supervision], torch.zeros(2, 1, 1, dtype=dtype))


def test_importing_the_package_takes_no_torch() -> None:
    """Programs that make graphs and examples start fast."""
    code = "import sys; from nnet3_compat.chain import ChainOptions, DenominatorGraph; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0

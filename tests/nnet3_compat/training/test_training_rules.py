"""nnet3's training rules, each against its derivation."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from nnet3_compat.components.randomness import set_seed
from nnet3_compat.modules import from_component
from nnet3_compat.training.activations import OutputDerivatives, activations_of
from nnet3_compat.training.component_updates import make_update
from nnet3_compat.training.max_change import MaxChange
from nnet3_compat.training.natural_gradient import DELTA, OnlineNaturalGradient
from nnet3_compat.training.rows import Rows
from nnet3_compat.training.semi_orthogonal import constrain, semi_orthogonal_step
from nnet3_compat.training.updates import AffineUpdate, PlainUpdate
from tests.helpers.component_lines import make


def module(line: str) -> Any:
    """A component's module in training mode, always with the same parameters."""
    set_seed(0)
    return from_component(make(line)).train()


def always(what: str, probability: float) -> bool:
    return True


def test_rows_are_one_matrix() -> None:
    torch.manual_seed(0)
    blocks = [torch.randn(7, 3), torch.randn(7, 2)]
    whole = torch.cat([*blocks, torch.ones(7, 1)], 1)
    x, other = Rows(blocks, ones=True), torch.randn(7, 4)
    w = torch.randn(5, 6)
    made, norm = x.times_and_squared_norm(w)
    torch.testing.assert_close(made, whole @ w.t())
    torch.testing.assert_close(norm, whole.double().square().sum())
    torch.testing.assert_close(x.transposed_times(other), other.t() @ whole)


def fisher(estimate: OnlineNaturalGradient, dim: int) -> np.ndarray:
    """F = R^T D R + rho I."""
    assert estimate.w is not None
    e = estimate._e(estimate.d, estimate.rho, dim)
    r = estimate.w.double().numpy() / np.sqrt(e)[:, None]
    return (r.T * estimate.d) @ r + estimate.rho * np.eye(dim)


def test_natural_gradient_learns_the_covariance() -> None:
    rng = np.random.default_rng(0)
    dim, rank = 12, 4
    factor = rng.standard_normal((rank, dim)) * np.array([[5.0], [4.0], [3.0], [2.0]])
    estimate = OnlineNaturalGradient(rank, num_samples_history=2000.0)
    for _ in range(60):
        rows = rng.standard_normal((500, rank)) @ factor + 0.1 * rng.standard_normal((500, dim))
        estimate.precondition(Rows([torch.tensor(rows, dtype=torch.float32)]))
    true = factor.T @ factor + 0.01 * np.eye(dim)
    largest = np.abs(true).max()
    np.testing.assert_allclose(fisher(estimate, dim), true, atol=0.1 * largest)


def test_preconditioning_is_a_product_with_the_smoothed_inverse() -> None:
    torch.manual_seed(0)
    estimate = OnlineNaturalGradient(3, alpha=4.0)
    x = torch.randn(50, 8) * torch.arange(1.0, 9.0)
    estimate.precondition(Rows([x]))
    f = fisher(estimate, 8)
    made = estimate.precondition(Rows([x]), frozen=True)
    g = f + 4.0 * np.trace(f) / 8 * np.eye(8)
    wanted = x.double().numpy() @ np.linalg.inv(g)
    ours = (made.columns_(x.clone()) * made.scale).double().numpy()
    np.testing.assert_allclose(ours / np.linalg.norm(ours), wanted / np.linalg.norm(wanted), atol=1e-5)
    assert np.linalg.norm(ours) == pytest.approx(float(x.norm()), rel=1e-5)


def test_rows_of_the_estimate_stay_orthonormal_for_degenerate_data() -> None:
    estimate = OnlineNaturalGradient(5)
    for scale in (1.0, 1e-6, 1e6, 0.0, 1.0):
        x = scale * torch.ones(30, 9)
        made = estimate.precondition(Rows([x]))
        assert torch.isfinite(made.columns_(x)).all()
        e = estimate._e(estimate.d, estimate.rho, 9)
        assert estimate.w is not None
        r = estimate.w.double().numpy() / np.sqrt(e)[:, None]
        np.testing.assert_allclose(r @ r.T, np.eye(5), atol=2e-2)
        assert estimate.d.min() >= 0.9 * DELTA * estimate.d.max()


def test_natural_gradient_forgets_nothing_for_bad_data() -> None:
    estimate = OnlineNaturalGradient(2)
    assert estimate.precondition(Rows([torch.full((4, 5), torch.nan)])).w is None
    estimate.precondition(Rows([torch.randn(40, 5)]))
    before = estimate.w
    estimate.precondition(Rows([torch.full((4, 5), torch.inf)]))
    assert estimate.w is before


def test_one_dimension_is_left_alone() -> None:
    made = OnlineNaturalGradient().precondition(Rows([torch.randn(5, 1)]))
    assert made.w is None and float(made.scale) == 1.0


UPDATES = [
    "type=NaturalGradientAffineComponent input-dim=6 output-dim=5",
    "type=LinearComponent input-dim=6 output-dim=5",
    "type=TdnnComponent input-dim=6 output-dim=5 time-offsets=-1,0,1",
    "type=NaturalGradientRepeatedAffineComponent input-dim=6 output-dim=4 num-repeats=2",
    "type=NaturalGradientPerElementScaleComponent dim=6",
    "type=PerElementOffsetComponent dim=6 block-dim=3",
    "type=ScaleAndOffsetComponent dim=6 block-dim=3",
    "type=ConstantFunctionComponent input-dim=6 output-dim=5",
    "type=LstmNonlinearityComponent cell-dim=4",
    "type=GruNonlinearityComponent cell-dim=4 recurrent-dim=2",
    "type=OutputGruNonlinearityComponent cell-dim=4",
    "type=TimeHeightConvolutionComponent num-filters-in=2 num-filters-out=3 height-in=3 height-out=3 "
    "height-offsets=-1,0,1 time-offsets=-1,0,1",
    "type=BlockAffineComponent input-dim=6 output-dim=4 num-blocks=2",
    "type=PerElementScaleComponent dim=6",
    "type=AffineComponent input-dim=6 output-dim=5",
]


TAPS = [36, 1, 0, 1, 0, 1, 36, 1, 0, 1, 2, 1, 36, 2, 0, 2, 3, 2, 18, 1, 2, 4, 2, 18]
"""36 rows that read three taps of 40 frames, the last of them in two pieces."""


def run(m: Any, x: list[Tensor], weights: Tensor | None = None) -> Tensor:
    """Forward, and backward from a fixed derivative; the output."""
    if m.component.is_pointwise:
        y = m(x[0])
    elif m.READS_TAPS:
        y = m.train_on(x[0], TAPS, TAPS[0])
    else:
        taps = x[: len(m.component.input_times(0))]  # of those here, all have at most three
        y = m(taps, [torch.ones(len(x[0]), 1, 1) for _ in taps])
    derivative = torch.sin(torch.arange(y.numel(), dtype=y.dtype)).view_as(y) if weights is None else weights
    y.backward(derivative)
    return y


@pytest.mark.parametrize("line", UPDATES, ids=[line.split()[0] for line in UPDATES])
def test_updates_agree_with_autograd(line: str) -> None:
    """Without natural gradient an update is the gradient; with it, an ascent direction of the same shape."""
    torch.manual_seed(0)
    plain = module(line)
    natural = from_component(plain.to_component()).train()
    x = [torch.randn(40, 3, make(line).input_dim) for _ in range(3)]
    gradient = make_update(plain, natural_gradient=False)
    assert isinstance(gradient, PlainUpdate)
    run(plain, x)
    expected = gradient.direction()
    update = make_update(natural)
    run(natural, x)
    made = update.direction()
    assert expected is not None and made is not None and len(made) == len(expected) == len(update.parameters)
    for ours, theirs, parameter in zip(made, expected, update.parameters, strict=True):
        assert ours.shape == theirs.shape == parameter.shape
    together = sum(float((a * b).sum()) for a, b in zip(made, expected, strict=True))
    assert together > 0.0
    assert update.direction() is None
    if isinstance(update, AffineUpdate):  # with estimates that know nothing, it is the gradient
        update.inputs.precondition = update.outputs.precondition = lambda rows, frozen=False: (
            OnlineNaturalGradient().precondition(Rows([torch.zeros(1, 1)]))
        )
        run(natural, x)
        for ours, theirs in zip(update.direction() or [], expected, strict=True):
            torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4)


def test_tdnn_has_the_derivatives_of_autograd() -> None:
    torch.manual_seed(0)
    m = module("type=TdnnComponent input-dim=6 output-dim=5 time-offsets=-1,0,1")
    x = torch.randn(40, 3, 6, requires_grad=True)
    derivative = torch.randn(36, 3, 5)
    m.train_on(x, TAPS, 36).backward(derivative)
    assert x.grad is not None
    made = [x.grad.clone(), *(p.grad.clone() for p in m.parameters())]
    x.grad = None
    m.zero_grad()
    third = torch.stack([x[3:39:2], x[4:40:2]], 1).reshape(36, 3, 6)
    m([x[:36], x[2:38], third], []).backward(derivative)
    for ours, theirs in zip(made, [x.grad, *(p.grad for p in m.parameters())], strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4)


def test_calls_of_a_minibatch_are_taken_together() -> None:
    torch.manual_seed(0)
    m = module("type=LinearComponent input-dim=4 output-dim=3")
    x = torch.randn(10, 2, 4)
    once = make_update(from_component(m.to_component()).train())
    run(once.module, [x])
    twice = make_update(m)
    derivative = torch.sin(torch.arange(60.0)).view(10, 2, 3)
    for part in (slice(0, 6), slice(6, 10)):
        run(m, [x[part]], derivative[part])
    torch.testing.assert_close((twice.direction() or [])[0], (once.direction() or [])[0])


@pytest.mark.parametrize("shape", [(10, 30), (30, 10)])
@pytest.mark.parametrize("scale", [-1.0, 1.0])
def test_semi_orthogonal(shape: tuple[int, int], scale: float) -> None:
    matrix = np.random.default_rng(0).standard_normal(shape).astype(np.float32) / np.sqrt(30, dtype=np.float32)
    as_tensor = semi_orthogonal_step(torch.from_numpy(matrix.copy()), scale)
    np.testing.assert_allclose(as_tensor.numpy(), semi_orthogonal_step(matrix, scale), atol=1e-6)
    for _ in range(60):
        matrix = semi_orthogonal_step(matrix, scale)
    assert matrix.dtype == np.float32
    short = matrix if shape[0] < shape[1] else matrix.T
    gram = short @ short.T
    np.testing.assert_allclose(gram / gram[0, 0], np.eye(10), atol=1e-4)
    if scale > 0:
        assert gram[0, 0] == pytest.approx(1.0, abs=1e-4)


def test_semi_orthogonal_where_asked() -> None:
    asked = module("type=TdnnComponent input-dim=5 output-dim=3 time-offsets=0,1 orthonormal-constraint=-1")
    others = [module("type=LinearComponent input-dim=5 output-dim=3"), module("type=RectifiedLinearComponent dim=3")]
    before = [p.clone() for m in (asked, *others) for p in m.parameters()]
    modules = {str(i): m for i, m in enumerate((asked, *others))}
    constrain(modules, lambda what, probability: probability == 1.0)
    assert all(torch.equal(a, b) for a, b in zip(before, asked.parameters(), strict=False))
    constrain(modules, always)
    after = [p for m in (asked, *others) for p in m.parameters()]
    assert [torch.equal(a, b) for a, b in zip(before, after, strict=True)] == [False, True, True]


def test_max_change(capfd: pytest.CaptureFixture) -> None:
    rule = MaxChange({"a": 1.0, "b": 0.0}, 3.0)
    small = {"a": [torch.tensor([0.6, 0.0])], "b": [torch.tensor([0.0]), torch.tensor([0.8])]}
    assert rule.factors(small, 1.0) == {"a": 1.0, "b": 1.0}
    factors = rule.factors({"a": [torch.tensor([4.0])], "b": [torch.tensor([0.8])]}, 0.5)
    assert factors == pytest.approx({"a": 0.25, "b": 0.5})
    factors = rule.factors({"a": [torch.tensor([1.0])], "b": [torch.tensor([12.0])]}, -1.0, slack=0.5)
    assert factors is not None
    total = np.hypot(factors["a"] * 1.0, factors["b"] * 12.0)
    assert total == pytest.approx(1.5) and factors["a"] < 0.0
    assert rule.factors({"a": [torch.tensor([torch.nan])], "b": [torch.tensor([1.0])]}, 1.0) is None
    rule.report_totals()
    logged = capfd.readouterr().err
    assert "Infinite parameter change, will not apply." in logged
    assert "Per-component max-change active on 1 / 2 Updatable Components. (Smallest factor=0.5 on a" in logged
    assert "For a, per-component max-change was enforced 50 % of the time." in logged
    assert "The global max-change was enforced 25 % of the time." in logged


REPAIRED = [
    ("type=RectifiedLinearComponent dim=4 self-repair-scale=0.01", torch.tensor([-5.0, 5.0, 0.0, 0.0])),
    ("type=SigmoidComponent dim=4 self-repair-scale=0.01", torch.tensor([-9.0, 9.0, 0.0, 0.0])),
    ("type=TanhComponent dim=4 self-repair-scale=0.01", torch.tensor([-9.0, 9.0, 0.0, 0.0])),
]


@pytest.mark.parametrize(("line", "shift"), REPAIRED, ids=[line.split()[0] for line, _ in REPAIRED])
def test_stuck_units_are_pushed_back(line: str, shift: Tensor) -> None:
    torch.manual_seed(0)
    m = module(line)
    (watch,) = activations_of(m)
    watch.before_minibatch(always, "c")
    x = (0.5 * torch.randn(50, 2, 4) + shift).requires_grad_()
    m(x).backward(torch.zeros(50, 2, 4))
    assert x.grad is not None
    total = x.grad.sum((0, 1))
    assert total[0] > 0.0 > total[1] and total[2] == total[3] == 0.0
    assert float(x.grad.abs().max()) <= 0.01 / 0.5 + 1e-6
    made = m.to_component()
    assert (made.num_dims_self_repaired, made.num_dims_processed, made.count) == (2.0, 4.0, 100.0)
    y = m(x.detach()).detach().reshape(-1, 4).double().numpy()
    np.testing.assert_allclose(made.value_sum, y.sum(0), rtol=1e-4, atol=1e-4)


def test_gates_are_repaired_and_counted() -> None:
    torch.manual_seed(0)
    m = module("type=LstmNonlinearityComponent cell-dim=3 self-repair-scale=0.001")
    watches = activations_of(m)
    for _ in range(2):  # the second time there are statistics to judge by
        for watch in watches:
            watch.before_minibatch(always, "c")
        x = (0.3 * torch.randn(20, 2, 15) + torch.tensor([9.0, 0.0, 0.0, *[0.0] * 12])).requires_grad_()
        m(x).backward(torch.zeros(20, 2, 6))
    assert x.grad is not None
    assert (x.grad[..., 0] < 0.0).all() and not x.grad[..., 1].any()
    made = m.to_component()
    assert made.count == 80.0 and made.value_sum.shape == (5, 3)
    # The first time nothing is known, and Kaldi repairs all: 3 cells in 40 rows. Then one cell of the first gate.
    assert made.self_repair_total.tolist() == [160.0, 120.0, 120.0, 120.0, 120.0]
    assert made.deriv_sum[1, 0] / made.count == pytest.approx(0.25, abs=0.02)


def test_output_derivatives_are_summed() -> None:
    m = module("type=LogSoftmaxComponent dim=3")
    watch = OutputDerivatives(m)
    watch.before_minibatch(lambda what, probability: False, "c")  # the first time always
    m(torch.randn(4, 2, 3, requires_grad=True)).backward(torch.full((4, 2, 3), 2.0))
    watch.before_minibatch(lambda what, probability: False, "c")
    m(torch.randn(4, 2, 3, requires_grad=True)).backward(torch.full((4, 2, 3), 2.0))
    made = m.to_component()
    assert made.oderiv_count == 8.0
    np.testing.assert_allclose(made.oderiv_rms, 2.0)

"""Our matrix products: as exact as torch's, however the matrices lie in memory."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from nnet3_compat.modules import products
from nnet3_compat.modules.extension import extension
from nnet3_compat.modules.products import linear, product, product_and_squares, product_and_sums

needs_amx = pytest.mark.skipif(not products.can_multiply(), reason="needs a processor with AMX")

SHAPES = [(1, 1, 1), (5, 7, 3), (33, 65, 47), (100, 200, 50), (17, 300, 1100), (64, 128, 64), (31, 33, 16)]


@pytest.fixture(autouse=True)
def every_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(products, "LEAST_SIDE", 1)
    monkeypatch.setattr(products, "LEAST_SIDE_WITH_SQUARES", 1)


def random(rows: int, columns: int, transposed: bool = False) -> Tensor:
    return torch.randn(columns, rows).t() if transposed else torch.randn(rows, columns)


def assert_as_exact(made: Tensor, a: Tensor, b: Tensor, before: Tensor | float = 0.0) -> None:
    """Off by a few roundings of what is added up."""
    sizes = a.double().abs() @ b.double().abs()
    assert ((made.double() - before - a.double() @ b.double()).abs() <= 4e-7 * (sizes + 1.0)).all()


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("transposed", [(False, False), (False, True), (True, False), (True, True)])
def test_product(shape: tuple[int, int, int], transposed: tuple[bool, bool]) -> None:
    torch.manual_seed(0)
    (m, k, n), bias = shape, torch.randn(shape[2])
    a, b = random(m, k, transposed[0]), random(k, n, transposed[1])
    assert_as_exact(product(a, b), a, b)
    assert_as_exact(product(a, b, bias), a, b, bias.double())
    wide = torch.full((m, n + 4), 0.5)
    out = wide[:, 1 : n + 1]
    assert product(a, b, out=out, add=True) is out
    assert_as_exact(out, a, b, 0.5)
    assert product(a, b, bias, out) is out
    assert_as_exact(out, a, b, bias.double())
    made, squares = product_and_squares(a, b, bias)
    assert_as_exact(made, a, b, bias.double())
    torch.testing.assert_close(squares, a.double().square().sum(1), rtol=1e-5, atol=1e-6)
    assert (wide[:, 0] == 0.5).all() and (wide[:, n + 1 :] == 0.5).all()


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dense", [True, False])
def test_product_and_sums(shape: tuple[int, int, int], dense: bool) -> None:
    torch.manual_seed(0)
    m, k, n = shape
    a, b, out = random(m, k, not dense), torch.randn(m, n), torch.zeros(k, n + 3)[:, :n]
    sums = product_and_sums(a, b, out)
    assert_as_exact(out, a.t(), b)
    torch.testing.assert_close(sums, a.double().sum(0).float(), rtol=1e-5, atol=1e-5)


def test_parts_of_matrices() -> None:
    torch.manual_seed(0)
    a, b = torch.randn(60, 90)[3:53, 5:75], torch.randn(80, 40)[2:72, 1:38]
    assert_as_exact(product(a, b), a, b)
    assert_as_exact(product(b.t(), a.t()), b.t(), a.t())
    spread = torch.randn(20, 40)[:, ::2]  # neither rows nor columns lie densely
    assert_as_exact(product(spread, spread.t()), spread, spread.t())


@needs_amx
def test_numbers_of_all_sizes() -> None:
    a = torch.randn(40, 50) * 10.0 ** torch.randint(-15, 15, (40, 1))
    b = torch.randn(50, 30) * 10.0 ** torch.randint(-15, 15, (1, 30))
    wanted = a.double() @ b.double()
    assert ((product(a, b) - wanted).abs() <= 4e-7 * (a.double().abs() @ b.double().abs())).all()


@needs_amx
def test_the_greatest_numbers() -> None:
    """No part of them is infinite."""
    greatest = torch.finfo(torch.float32).max
    a = torch.tensor([[greatest, -greatest, 3.395e38], [1.0, 2.0**-100, 0.0]]).repeat(20, 1)
    torch.testing.assert_close(product(a, torch.eye(3)), a, rtol=0.0, atol=0.0)


@needs_amx
def test_what_is_no_number_stays_in_its_row() -> None:
    a, b = torch.randn(40, 70), torch.randn(70, 50)
    a[3, 5], a[20, 69] = torch.nan, torch.inf
    made = product(a, b)
    strange = ~torch.isfinite(made).all(1)
    assert strange.nonzero().flatten().tolist() == [3, 20]
    assert not torch.isfinite(made[[3, 20]]).any()


@needs_amx
def test_any_number_of_threads_gives_the_same() -> None:
    a, b = (torch.randn(shape).numpy() for shape in ((150, 300), (300, 70)))
    made = [np.empty((150, 70), np.float32) for _ in range(2)]
    for threads, to in enumerate(made, 1):
        extension().multiply(a, b, to, None, False, threads)
    np.testing.assert_array_equal(*made)


@needs_amx
def test_shapes_are_checked() -> None:
    a, b, c = (np.zeros(shape, np.float32) for shape in ((4, 5), (6, 7), (4, 7)))
    with pytest.raises(ValueError, match="shapes"):
        extension().multiply(a, b, c, None, False, 1)
    with pytest.raises(ValueError, match="column"):
        extension().multiply(a, b[:5], c, np.zeros(6, np.float32), False, 1)
    for totals in ({"squares": np.zeros(3)}, {"sums": np.zeros(4)}):  # too short; rows that lie densely
        with pytest.raises(ValueError, match="total"):
            extension().multiply(a, b[:5], c, None, False, 1, **totals)


@pytest.mark.parametrize("bias", [True, False])
def test_derivatives(bias: bool) -> None:
    torch.manual_seed(0)
    inputs = [torch.randn(6, 5, 30), torch.randn(20, 30), *([torch.randn(20)] if bias else [])]
    derivative, gradients = torch.randn(6, 5, 20), []
    for function in (linear, F.linear):
        parameters = [x.clone().requires_grad_() for x in inputs]
        made = function(*parameters)
        made.backward(derivative)
        gradients.append([made, *(x.grad for x in parameters)])
    torch.testing.assert_close(*gradients, rtol=1e-5, atol=1e-5)


def test_no_rows() -> None:
    x = torch.zeros(0, 5, 30, requires_grad=True)
    made = linear(x, torch.randn(20, 30))
    assert made.shape == (0, 5, 20)
    made.sum().backward()
    assert x.grad is not None and x.grad.shape == x.shape

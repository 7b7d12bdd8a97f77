"""The passes in C++ over a rectified linear unit and what follows it, against their definition in double precision."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from nnet3_compat.modules.extension import extension

ROWS, DIM = 267, 19  # more than a block of rows, and a few more than a multiple of four

pytestmark = pytest.mark.skipif(extension() is None, reason="the C++ part is not built")


def made_up(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def single(x: np.ndarray) -> np.ndarray:
    return x.astype(np.float32)


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("masked", [False, True])
def test_forward_and_backward(masked: bool, threads: int) -> None:
    native, epsilon, rms, factor = extension(), 1e-3, 0.8, 0.66
    x, bypass, dy = (made_up(ROWS, DIM, seed=seed) for seed in range(3))
    push = made_up(DIM, seed=3)
    mask = np.random.default_rng(4).random((89, DIM)).astype(np.float32) if masked else None

    inputs = torch.tensor(x, dtype=torch.float64, requires_grad=True)
    z = inputs.relu()
    z.retain_grad()
    u = (z - z.mean(0)) / (z.var(0, unbiased=False) + epsilon).sqrt()
    repeated = torch.tensor(np.ones((ROWS, DIM)) if mask is None else np.tile(mask, (3, 1)))
    wanted = rms * u * repeated + factor * torch.tensor(bypass)
    wanted.backward(torch.tensor(dy, dtype=torch.float64))
    assert inputs.grad is not None and z.grad is not None

    sums, squares, positive = native.rectified_moments(x, threads)
    mean, inverse = sums / ROWS, 1.0 / np.sqrt(squares / ROWS - (sums / ROWS) ** 2 + epsilon)
    scale, y = rms * inverse, np.empty_like(x)
    native.normalize_rectified(x, single(mean), single(scale), mask, bypass, factor, y, threads)
    np.testing.assert_array_equal(positive, (x > 0).sum(0))
    np.testing.assert_allclose(y, wanted.detach(), atol=1e-5)

    gradient_sums, products = native.gradient_moments(dy, x, single(mean), mask, threads)
    lines = mean, scale, scale * gradient_sums / ROWS, scale * inverse**2 * products / ROWS, push
    of_bypass = np.empty_like(x)
    made = native.rectified_gradient(dy, x, *map(single, lines), mask, factor, of_bypass, threads)
    np.testing.assert_allclose(x, inputs.grad + torch.tensor(push), atol=1e-5)
    np.testing.assert_allclose(of_bypass, factor * dy, rtol=1e-6)
    np.testing.assert_allclose(made, z.grad.square().sum(0), rtol=1e-4)


def test_what_is_no_number_stays() -> None:
    x = made_up(8, 3)
    x[2, 1] = np.nan
    sums, squares, _ = extension().rectified_moments(x, 1)
    assert np.isnan(sums).tolist() == np.isnan(squares).tolist() == [False, True, False]


def test_shapes_that_do_not_fit_are_refused() -> None:
    x, line = made_up(8, 3), made_up(3)
    with pytest.raises(ValueError, match="same shape"):
        extension().normalize_rectified(x, line, line, None, None, 1.0, made_up(7, 3), 1)
    with pytest.raises(ValueError, match="each column"):
        extension().normalize_rectified(x, made_up(4), line, None, None, 1.0, made_up(8, 3), 1)
    with pytest.raises(ValueError, match="mask"):
        extension().gradient_moments(x, x, line, made_up(2, 4), 1)
    with pytest.raises(TypeError):  # a copy would get the result
        extension().normalize_rectified(x, line, line, None, None, 1.0, made_up(3, 8).T, 1)

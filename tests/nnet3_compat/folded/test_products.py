"""Products in each precision, by each kind of instructions that this processor has, against numpy."""

from collections.abc import Iterator

import numpy as np
import pytest

import nnet3_compat.folded._csrc as csrc

# Rows, inputs and outputs: fewer than of a tile, of a panel; several blocks; several parts of a block; no multiples of
# anything; one.
SIZES = [
    (1, 1, 1),
    (5, 7, 3),
    (13, 96, 32),
    (33, 130, 65),
    (61, 500, 40),
    (250, 192, 33),
    (503, 67, 70),
    (607, 1001, 67),
]
NAMES = ["any", "avx2", "avx512", "avx_vnni", "avx512_vnni", "avx512_bf16", "amx"]


def made_up(rows: int, inputs: int, outputs: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """x, W and b; rows of very different sizes, some of them all positive, one of zeros."""
    random = np.random.default_rng(rows)
    x = random.normal(size=(rows, inputs)) * 10.0 ** random.integers(-3, 4, (rows, 1))
    x[::3] = np.abs(x[::3]) + 1
    x[rows // 2] = 0
    weights = random.normal(size=(outputs, inputs)) * 10.0 ** random.integers(-2, 2, (outputs, 1))
    return x.astype(np.float32), weights.astype(np.float32), random.normal(size=outputs).astype(np.float32)


def with_each(precision: str) -> Iterator[str]:
    """The instructions; a processor that lacks some leaves the others to test."""
    found = csrc.instructions(precision)
    assert found[0] == "any" and set(found) <= set(NAMES)
    yield from found


def expect_close(found: np.ndarray, expected: np.ndarray, terms: np.ndarray, tolerance: float) -> None:
    """Within a part of the sum of the absolute values of all that was added."""
    assert found.dtype == np.float32 and found.shape == expected.shape
    assert (np.abs(found - expected) <= tolerance * terms).all()


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_float32(size: tuple[int, int, int]) -> None:
    x, weights, bias = made_up(*size)
    expected = x.astype(float) @ weights.astype(float).T + bias
    terms = np.abs(x).astype(float) @ np.abs(weights).astype(float).T + np.abs(bias)
    for name in with_each("float32"):
        found = csrc.float32_matrix(weights, bias, bias, name).multiply(x)
        expect_close(found, expected, terms, 4e-6)


def rounded_rows(x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """u [rows, inputs] in 0 .. 255, step and low [rows, 1] (word_matrix.h), in float32 as there."""
    low, high = x.min(1, keepdims=True), x.max(1, keepdims=True)
    step, steps = (high - low) / np.float32(255), np.zeros_like(low)
    np.divide(np.float32(255), high - low, out=steps, where=high > low)
    return ((x - (low - np.float32(0.5) * step)) * steps).astype(np.int64), step, low


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_int8_is_of_exact_integers(size: tuple[int, int, int]) -> None:
    x, weights, bias = made_up(*size)
    integers = np.random.default_rng(1).integers(-127, 128, weights.shape).astype(np.int8)
    scales = np.abs(weights[:, 0])
    u, step, low = rounded_rows(x)
    assert u.min() >= 0 and u.max() <= 255 and (u.max() == 255 or x.shape[1] == 1)
    sums = u @ integers.astype(np.int64).T
    weight_sums = integers.astype(np.int64).sum(1)
    expected = step.astype(float) * scales * sums + low.astype(float) * scales * weight_sums + bias
    terms = np.abs(step * scales * sums) + np.abs(low * scales * weight_sums) + np.abs(bias)
    made = [csrc.int8_matrix(integers, scales, bias, bias, name).multiply(x) for name in with_each("int8")]
    for found in made:
        expect_close(found, expected, terms, 5e-7)
    if len(made) > 1:  # but for how the last additions are rounded
        for found in made:
            expect_close(found, made[0], terms, 5e-7)


def to_bfloat16(x: np.ndarray) -> np.ndarray:
    """Rounded to the nearest, to even ones between two."""
    bits = x.view(np.uint32).astype(np.uint64)
    rounded = (bits + 0x7FFF + (bits >> 16 & 1)) >> 16 << 16
    return rounded.astype(np.uint32).view(np.float32)


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_bfloat16(size: tuple[int, int, int]) -> None:
    x, weights, bias = made_up(*size)
    for name in with_each("bfloat16"):
        rows = to_bfloat16(x) if name in ("avx512_bf16", "amx") else x
        expected = rows.astype(float) @ to_bfloat16(weights).astype(float).T + bias
        terms = np.abs(rows).astype(float) @ np.abs(to_bfloat16(weights)).astype(float).T + np.abs(bias)
        found = csrc.bfloat16_matrix(weights, bias, bias, name).multiply(x)
        expect_close(found, expected, terms, 4e-6)


@pytest.mark.parametrize("strange", [np.nan, np.inf, -np.inf])
def test_what_is_no_number(strange: float) -> None:
    """A row with a NaN or an infinity has no finite output, and the rows beside it are as they were."""
    x, weights, bias = made_up(40, 70, 33)
    integers, scales = np.ones(weights.shape, np.int8), np.ones(33, np.float32)
    for column in (0, 69):
        bad = x.copy()
        bad[7, column] = strange
        for name in with_each("int8"):
            matrix = csrc.int8_matrix(integers, scales, bias, bias, name)
            found, beside = matrix.multiply(bad), matrix.multiply(x)
            assert not np.isfinite(found[7]).any()
            np.testing.assert_array_equal(np.delete(found, 7, 0), np.delete(beside, 7, 0))
        for name in with_each("bfloat16"):
            assert not np.isfinite(csrc.bfloat16_matrix(weights, bias, bias, name).multiply(bad)[7]).any()


def test_extremes() -> None:
    """The greatest sums of integers there can be, and rows whose range is beyond float32 or nothing."""
    inputs = 1 << 16
    weights, ones = np.full((33, inputs), -127, np.int8), np.ones(33, np.float32)
    x = np.ones((2, inputs), np.float32)
    x[:, 0] = 0
    for name in with_each("int8"):
        found = csrc.int8_matrix(weights, ones, 0 * ones, ones, name).multiply(x)
        np.testing.assert_allclose(found, -127 * (inputs - 1), rtol=1e-6)
        huge = np.array([[3e38, -3e38], [1e-38, 2e-38]], np.float32)
        found = csrc.int8_matrix(weights[:, :2], ones, ones, ones, name).multiply(huge)
        assert np.isnan(found[0]).all() and np.allclose(found[1], 1)
    with pytest.raises(ValueError, match="no more than 65536"):
        csrc.int8_matrix(np.zeros((1, inputs + 1), np.int8), ones[:1], ones[:1], ones[:1])


def test_instructions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NNET_PYTORCH_INSTRUCTIONS", "any")
    assert csrc.instructions("int8") == csrc.instructions("float32") == ["any"]
    monkeypatch.setenv("NNET_PYTORCH_INSTRUCTIONS", "mmx")
    with pytest.raises(ValueError, match="NNET_PYTORCH_INSTRUCTIONS=mmx is none of any, avx2"):
        csrc.instructions("int8")
    monkeypatch.delenv("NNET_PYTORCH_INSTRUCTIONS")
    one = np.ones(1, np.float32)
    with pytest.raises(ValueError, match="no float32 with amx"):
        csrc.float32_matrix(one[None], one, one, "amx")
    with pytest.raises(ValueError, match="precision must be"):
        csrc.instructions("int4")

"""How nnet3-info sums up vectors and matrices (Kaldi: nnet3/nnet-parse.cc)."""

from __future__ import annotations

import numpy as np

from kaldi_bridge import log

_PERCENTILES = (0, 1, 2, 5, 10, 20, 50, 80, 90, 95, 98, 99, 100)


def number(value: float, precision: int = 6) -> str:
    """As a C++ stream prints it."""
    value = float(value)
    if np.isnan(value):
        return "-nan" if np.signbit(value) else "nan"
    return f"{value:.{precision}g}"


def boolean(value: bool) -> str:
    """As Kaldi prints it."""
    return "true" if value else "false"


def _succinct(value: float) -> str:
    value = float(value)
    size = abs(value)
    if 10.0 <= size < 10000.0:
        return f"{value:.0f}"
    if size >= 0.995:
        return f"{value:.1f}"
    if size >= 0.01:
        return f"{value:.2f}"
    return number(value, 1)


def _mean_and_stddev(values: np.ndarray) -> tuple[float, float]:
    """In single precision, as Kaldi: for near-constant values the rounding shows (even as -nan)."""
    values = np.ascontiguousarray(values, dtype=np.float32).reshape(-1)
    size = np.float32(max(values.size, 1))
    mean = np.float32(np.sum(values, dtype=np.float64)) / size
    variance = np.dot(values, values) / size - mean * mean
    return float(mean), _root(variance)


def _root(value: float) -> float:
    return float(np.sqrt(np.float32(value))) if value >= 0 else float(np.copysign(np.nan, -1.0))


@np.errstate(all="ignore")
def summarize(vector: np.ndarray) -> str:
    """Percentiles, mean and standard deviation; all values when there are fewer than ten."""
    values = np.asarray(vector, dtype=np.float32)
    if values.size < 10:
        return "".join(["[ ", *(f"{_succinct(v)} " for v in values), "]"])
    mean, stddev = _mean_and_stddev(values)
    ordered = np.sort(values)
    picked = [_succinct(ordered[(values.size - 1) * p // 100]) for p in _PERCENTILES]
    text = f"{','.join(picked[:4])} {','.join(picked[4:9])} {','.join(picked[9:])}"
    moments = f"mean={number(mean, 3)}, stddev={number(stddev, 3)}"
    return f"[percentiles(0,1,2,5 10,20,50,80,90 95,98,99,100)=({text}), {moments}]"


@np.errstate(all="ignore")
def stats(name: str, parameters: np.ndarray, include_mean: bool = False, norms: bool = False) -> str:
    """``, NAME-rms=...`` or ``, NAME-{mean,stddev}=...``, and for matrices on demand the norms of rows and columns."""
    if include_mean:
        mean, stddev = _mean_and_stddev(parameters)
        text = f", {name}-{{mean,stddev}}={number(mean, 4)},{number(stddev, 4)}"
    else:
        flat = parameters.reshape(-1).astype(np.float64)
        rms = np.sqrt(flat @ flat / max(flat.size, 1))
        text = f", {name}-rms={number(np.float32(rms), 4)}"
    if norms:
        squares = parameters.astype(np.float64) ** 2
        text += f", {name}-row-norms={summarize(np.sqrt(squares.sum(axis=1)))}"
        text += f", {name}-col-norms={summarize(np.sqrt(squares.sum(axis=0)))}"
        if log.verbose() >= 2:
            values = np.linalg.svd(parameters.astype(np.float64), compute_uv=False)
            text += f", {name}-singular-values={summarize(values)}"
    return text

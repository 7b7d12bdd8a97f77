"""Component modules against the formulas of Kaldi's headers, written out in numpy row by row."""

from __future__ import annotations

import ast
import io
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import nnet3_compat
from nnet3_compat.components.base import COMPONENTS, Component
from nnet3_compat.modules import MODULES, from_component

rng = np.random.default_rng(1)


@pytest.fixture(autouse=True)
def seed() -> None:
    torch.manual_seed(1)


def f32(*shape: int) -> np.ndarray:
    return rng.standard_normal(shape).astype(np.float32)


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1.0 / (1.0 + np.exp(-x))


def make(kind: str, **attributes: Any) -> Component:
    return COMPONENTS[kind](**attributes)


def stats(dim: int) -> dict[str, Any]:
    return {"count": 100.0, "value_sum": rng.standard_normal(dim), "deriv_sum": rng.standard_normal(dim)}


# Pointwise components: (component, its formula for one row).
CASES: dict[str, tuple[Component, Callable[[Any, np.ndarray], np.ndarray]]] = {}


def case(kind: str, formula: Callable[[Any, np.ndarray], np.ndarray], label: str = "", **attributes: Any) -> None:
    CASES[kind + label] = (make(kind, **attributes), formula)


for kind in ("AffineComponent", "NaturalGradientAffineComponent", "FixedAffineComponent"):
    case(kind, lambda c, x: c.linear_params @ x + c.bias_params, linear_params=f32(5, 4), bias_params=f32(5))
case("LinearComponent", lambda c, x: c.params @ x, params=f32(5, 4))
for kind in ("RepeatedAffineComponent", "NaturalGradientRepeatedAffineComponent"):
    case(
        kind,
        lambda c, x: np.concatenate([c.linear_params @ b + c.bias_params for b in np.split(x, 3)]),
        linear_params=f32(2, 4), bias_params=f32(2), num_repeats=3,
    )  # fmt: skip
case(
    "BlockAffineComponent",
    lambda c, x: np.concatenate([w @ b for w, b in zip(np.split(c.linear_params, 2), np.split(x, 2), strict=True)])
    + c.bias_params,
    linear_params=f32(6, 4), bias_params=f32(6), num_blocks=2,
)  # fmt: skip
for kind in ("PerElementScaleComponent", "NaturalGradientPerElementScaleComponent", "FixedScaleComponent"):
    case(kind, lambda c, x: c.scales * x, scales=f32(6))
case("PerElementOffsetComponent", lambda c, x: x + np.tile(c.offsets, 3), dim=6, offsets=f32(2))
case(
    "ScaleAndOffsetComponent",
    lambda c, x: x * np.tile([2.0, 1e-4, -1e-4], 2) + np.tile(c.offsets, 2),
    dim=6, scales=np.array([2.0, 0.0, -1e-6], np.float32), offsets=f32(3),
)  # fmt: skip
case("FixedBiasComponent", lambda c, x: x + c.bias, bias=f32(6))
case("ConstantFunctionComponent", lambda c, x: c.output, input_dim=4, output=f32(3))
case("ConstantComponent", lambda c, x: c.output, output=f32(3))
case("SumGroupComponent", lambda c, x: np.array([x[0], x[1:4].sum(), x[4:].sum()]), sizes=[1, 3, 2])
case("SumGroupComponent", lambda c, x: np.array([x[:2].sum(), x[2:].sum()]), "-even", sizes=[2, 2])
case("SumBlockComponent", lambda c, x: 0.5 * (x[:3] + x[3:]), input_dim=6, output_dim=3, scale_factor=0.5)
case("PermuteComponent", lambda c, x: x[[2, 0, 1]], column_map=[2, 0, 1])
case("ElementwiseProductComponent", lambda c, x: x[:2] * x[2:4] * x[4:], input_dim=6, output_dim=2)
case("PnormComponent", lambda c, x: np.sqrt((x.reshape(2, 3) ** 2).sum(1)), input_dim=6, output_dim=2)
case("DistributeComponent", lambda c, x: x[:2], input_dim=6, output_dim=2)
case("NoOpComponent", lambda c, x: x, dim=4, backprop_scale=0.3)
case("ClipGradientComponent", lambda c, x: x, dim=4, clipping_threshold=2.0, norm_based_clipping=True)
case(
    "BackpropTruncationComponent", lambda c, x: 0.7 * x,
    dim=4, scale_factor=0.7, clipping_threshold=2.0, zeroing_threshold=1.0, zeroing_interval=4, recurrence_interval=1,
)  # fmt: skip
case("SigmoidComponent", lambda c, x: sigmoid(x), dim=4, **stats(4))
case("TanhComponent", lambda c, x: np.tanh(x), dim=4, **stats(4))
case("RectifiedLinearComponent", lambda c, x: np.maximum(x, 0), dim=4, **stats(4))
case("SoftmaxComponent", lambda c, x: np.maximum(np.exp(x) / np.exp(x).sum(), 1e-20), dim=4, **stats(4))
case("LogSoftmaxComponent", lambda c, x: x - np.log(np.exp(x).sum()), dim=4)
case(
    "NormalizeComponent",
    lambda c, x: np.append(0.5 * x / np.sqrt((x**2).mean()), np.log(np.sqrt((x**2).mean()))),
    input_dim=4, block_dim=4, target_rms=0.5, add_log_stddev=True,
)  # fmt: skip
case(
    "NormalizeComponent", lambda c, x: np.concatenate([b / np.sqrt((b**2).mean()) for b in np.split(x, 2)]), "-blocks",
    input_dim=6, block_dim=3,
)  # fmt: skip
case(
    "BatchNormComponent",
    lambda c, x: np.concatenate([
        0.9 * (b - c.stats_sum / 10) / np.sqrt(c.stats_sumsq / 10 - (c.stats_sum / 10) ** 2 + 1e-3)
        for b in np.split(x, 2)
    ]),
    dim=6, block_dim=3, epsilon=1e-3, target_rms=0.9, count=10.0,
    stats_sum=rng.standard_normal(3), stats_sumsq=rng.random(3) * 10 + 5,
)  # fmt: skip
case("DropoutComponent", lambda c, x: 0.8 * x, dim=4, dropout_proportion=0.2)
case("DropoutMaskComponent", lambda c, x: np.full(3, 0.75), output_dim=3, dropout_proportion=0.25)
case("DropoutMaskComponent", lambda c, x: np.ones(3), "-continuous", output_dim=3, dropout_proportion=0.25,
     continuous=True)  # fmt: skip
case("GeneralDropoutComponent", lambda c, x: x, dim=6, block_dim=3, dropout_proportion=0.2)
case("SpecAugmentTimeMaskComponent", lambda c, x: x, dim=4)


def lstm(c: Any, x: np.ndarray) -> np.ndarray:
    i, f, g, o, prev = np.split(x[:15], 5)
    si, sf, so = x[15:] if c.use_dropout else (1.0, 1.0, 1.0)
    w_ic, w_fc, w_oc = c.params
    cell = sigmoid(f + w_fc * prev) * sf * prev + sigmoid(i + w_ic * prev) * si * np.tanh(g)
    return np.concatenate([cell, sigmoid(o + w_oc * cell) * so * np.tanh(cell)])


def gru(c: Any, x: np.ndarray) -> np.ndarray:
    n, r = c.cell_dim, c.recurrent_dim
    z, reset, part, prev = x[:n], x[n : n + r], x[n + r : n + r + n], x[n + r + n : n + r + n + n]
    h = np.tanh(part + c.w_h @ (reset * x[len(x) - r :]))
    return np.concatenate([h, (1 - z) * h + z * prev])


def output_gru(c: Any, x: np.ndarray) -> np.ndarray:
    z, part, prev = np.split(x, 3)
    h = np.tanh(part + c.w_h * prev)
    return np.concatenate([h, (1 - z) * h + z * prev])


def lstm_stats() -> dict[str, Any]:
    return {
        "value_sum": rng.standard_normal((5, 3)), "deriv_sum": rng.standard_normal((5, 3)), "count": 7.0,
        "self_repair_total": np.zeros(5), "self_repair_config": f32(10),
    }  # fmt: skip


def gru_stats() -> dict[str, Any]:
    return {"value_sum": rng.standard_normal(3), "deriv_sum": rng.standard_normal(3), "count": 7.0}


case("LstmNonlinearityComponent", lstm, params=f32(3, 3), **lstm_stats())
case("LstmNonlinearityComponent", lstm, "-dropout", params=f32(3, 3), use_dropout=True, **lstm_stats())
case("GruNonlinearityComponent", gru, cell_dim=3, recurrent_dim=2, w_h=f32(3, 2), **gru_stats())
case("GruNonlinearityComponent", gru, "-full", cell_dim=3, recurrent_dim=3, w_h=f32(3, 3), **gru_stats())
case("OutputGruNonlinearityComponent", output_gru, cell_dim=3, w_h=f32(3), **gru_stats())


def convolve(c: Any, x: np.ndarray) -> np.ndarray:
    shape = (c.input_x_dim, c.input_y_dim, c.input_z_dim)
    image = np.empty(shape, x.dtype)
    for i, j, k in np.ndindex(*shape):
        at = i * shape[1] * shape[2] + (k * shape[1] + j if c.input_vectorization == 0 else j * shape[2] + k)
        image[i, j, k] = x[at]
    out = []
    for i in range(0, shape[0] - c.filt_x_dim + 1, c.filt_x_step):
        for j in range(0, shape[1] - c.filt_y_dim + 1, c.filt_y_step):
            patch = image[i : i + c.filt_x_dim, j : j + c.filt_y_dim].reshape(-1)
            out.append(c.filter_params @ patch + c.bias_params)
    return np.concatenate(out)


for order in (0, 1):
    case(
        "ConvolutionComponent", convolve, f"-{order}", input_x_dim=3, input_y_dim=5, input_z_dim=2, filt_x_dim=2,
        filt_y_dim=3, filt_x_step=1, filt_y_step=2, input_vectorization=order, filter_params=f32(4, 12),
        bias_params=f32(4),
    )  # fmt: skip


def pool(c: Any, x: np.ndarray) -> np.ndarray:
    image = x.reshape(4, 3, 4)
    return np.array([
        image[i : i + 2, j : j + 3, k : k + 2].max() for i in (0, 2) for j in (0,) for k in (0, 1, 2)
    ])  # fmt: skip


case(
    "MaxpoolingComponent", pool, input_x_dim=4, input_y_dim=3, input_z_dim=4, pool_x_size=2, pool_y_size=3,
    pool_z_size=2, pool_x_step=2, pool_y_step=1, pool_z_step=1,
)  # fmt: skip
case(
    "CompositeComponent",
    lambda c, x: np.maximum(c.components[0].linear_params @ x + c.components[0].bias_params, 0),
    components=[CASES["AffineComponent"][0], make("RectifiedLinearComponent", dim=5)],
)

INPUT_FREE = {"ConstantComponent", "DropoutMaskComponent"}


def input_dim(c: Any) -> int:
    return 4 if c.TYPE in INPUT_FREE else c.input_dim


def same_fields(a: Any, b: Any) -> None:
    assert type(a) is type(b)
    for name in vars(a).keys() | vars(b).keys():
        value, other = getattr(a, name), getattr(b, name)
        if isinstance(value, np.ndarray):
            assert value.dtype == other.dtype and value.shape == other.shape, name
            assert value.tobytes() == other.tobytes(), name
        elif name == "components":
            for x, y in zip(value, other, strict=True):
                same_fields(x, y)
        else:
            assert type(value) is type(other) and value == other, name


@pytest.mark.parametrize("name", CASES)
def test_pointwise_formula(name: str) -> None:
    component, formula = CASES[name]
    module = from_component(component).eval()
    x = rng.standard_normal((3, 2, input_dim(component))).astype(np.float32)
    want = np.stack([[formula(component, row.astype(np.float64)) for row in rows] for rows in x])
    with torch.no_grad():
        got = module(torch.from_numpy(x))
    assert got.shape == want.shape
    np.testing.assert_allclose(got.detach().numpy(), want, rtol=2e-5, atol=2e-6)


@pytest.mark.parametrize("name", CASES)
def test_scripted_is_the_same(name: str) -> None:
    module = from_component(CASES[name][0]).eval()
    scripted = torch.jit.script(module)
    buffer = io.BytesIO()
    torch.jit.save(scripted, buffer)
    buffer.seek(0)
    loaded = torch.jit.load(buffer)
    x = torch.randn(3, 2, input_dim(CASES[name][0]))
    torch.testing.assert_close(loaded(x), module(x))


TAPPED: dict[str, Component] = {
    "tdnn": make("TdnnComponent", time_offsets=[-1, 0, 2], linear_params=f32(5, 12), bias_params=f32(5)),
    "tdnn-no-bias": make("TdnnComponent", time_offsets=[-1, 2], linear_params=f32(5, 8), bias_params=f32(0)),
    "tdnn-one": make("TdnnComponent", time_offsets=[3], linear_params=f32(5, 4), bias_params=f32(5)),
    "conv": make(
        "TimeHeightConvolutionComponent", num_filters_in=2, num_filters_out=3, height_in=6, height_out=3,
        height_subsample_out=2, offsets=[(t, h) for t in (-1, 0, 1) for h in (-1, 0, 1)], required_time_offsets=[0],
        linear_params=f32(3, 18), bias_params=f32(3),
    ),
    "conv-even": make(
        "TimeHeightConvolutionComponent", num_filters_in=2, num_filters_out=3, height_in=6, height_out=6,
        offsets=[(t, h) for t in (-3, 3) for h in (-1, 0, 1)], required_time_offsets=[-3, 3],
        linear_params=f32(3, 12), bias_params=f32(3),
    ),
    "conv-sparse": make(
        "TimeHeightConvolutionComponent", num_filters_in=2, num_filters_out=3, height_in=6, height_out=4,
        offsets=[(-3, 2), (0, 0), (0, 1)], required_time_offsets=[0], linear_params=f32(3, 6), bias_params=f32(3),
    ),
    "attention": make(
        "RestrictedAttentionComponent", num_heads=2, key_dim=3, value_dim=2, num_left_inputs=2, num_right_inputs=1,
        time_stride=1, num_left_inputs_required=0, num_right_inputs_required=0, key_scale=0.6,
        output_context=True, entropy_stats=np.zeros(2), posterior_stats=np.zeros((2, 4)),
    ),
    "attention-plain": make(
        "RestrictedAttentionComponent", num_heads=2, key_dim=3, value_dim=2, num_left_inputs=2, num_right_inputs=1,
        time_stride=3, num_left_inputs_required=0, num_right_inputs_required=0, key_scale=0.6, output_context=False,
        entropy_stats=np.zeros(2), posterior_stats=np.zeros((2, 4)),
    ),
    "extraction": make("StatisticsExtractionComponent", input_dim=4, input_period=1, output_period=3),
    "extraction-mean": make(
        "StatisticsExtractionComponent", input_dim=4, input_period=1, output_period=2, include_variance=False
    ),
    "pooling": make(
        "StatisticsPoolingComponent", input_dim=5, input_period=2, left_context=4, right_context=2,
        num_log_count_features=2, output_stddevs=True, variance_floor=1e-3,
    ),
    "pooling-mean": make(
        "StatisticsPoolingComponent", input_dim=5, input_period=2, left_context=4, right_context=2,
        num_log_count_features=0, output_stddevs=False,
    ),
}  # fmt: skip


def one_output(c: Any, at: dict[int, np.ndarray], times: list[int], t: int) -> np.ndarray:
    """The output at time t; ``at`` holds the input frames that exist."""
    zero = np.zeros(c.input_dim)
    if c.TYPE == "TdnnComponent":
        spliced = np.concatenate([at[t + o] for o in c.time_offsets])
        return c.linear_params @ spliced + (c.bias_params if c.bias_params.size else 0.0)
    if c.TYPE == "TimeHeightConvolutionComponent":
        out = np.tile(c.bias_params.astype(np.float64), (c.height_out, 1))
        for h in range(c.height_out):
            for k, (time, height) in enumerate(c.offsets):
                row = h * c.height_subsample_out + height
                if 0 <= row < c.height_in:
                    x = at.get(t + time, zero).reshape(c.height_in, c.num_filters_in)[row]
                    out[h] += c.linear_params[:, k * c.num_filters_in : (k + 1) * c.num_filters_in] @ x
        return out.reshape(-1)
    if c.TYPE == "RestrictedAttentionComponent":
        parts = []
        for head in range(c.num_heads):
            rows = [at.get(s, zero).reshape(c.num_heads, -1)[head] for s in times]
            own = at[t].reshape(c.num_heads, -1)[head][c.key_dim + c.value_dim :]
            score = [
                c.key_scale * (row[: c.key_dim] @ own[: c.key_dim]) + own[c.key_dim + i] for i, row in enumerate(rows)
            ]
            weight = np.exp(score) / np.exp(score).sum()
            parts.append(sum(w * row[c.key_dim : c.key_dim + c.value_dim] for w, row in zip(weight, rows, strict=True)))
            if c.output_context:
                parts.append(weight)
        return np.concatenate(parts)
    present = [at[s] for s in times if s in at]
    if c.TYPE == "StatisticsExtractionComponent":
        squares = [np.sum([x**2 for x in present], 0)] if c.include_variance else []
        return np.concatenate([[len(present)], np.sum(present, 0), *squares])
    sums = np.sum(present, 0)
    mean = sums[1:] / sums[0]
    if c.output_stddevs:
        mean[2:] = np.sqrt(np.maximum(mean[2:] - mean[:2] ** 2, c.variance_floor))
    return np.concatenate([[math.log(sums[0])] * c.num_log_count_features, mean])


def tapped_input(c: Any, frames: range, n: int) -> np.ndarray:
    x = rng.standard_normal((len(frames), n, c.input_dim))
    if c.TYPE == "StatisticsPoolingComponent":
        x[..., 0] = rng.integers(1, 4, x.shape[:2])
        x[..., 3:] = np.abs(x[..., 3:]) * 3
    return x


def run_taps(c: Any, module: Any, x: torch.Tensor, frames: range, outputs: list[int]) -> torch.Tensor:
    """What the executor of a network does: cut the taps, zeros where there is nothing."""
    every = [c.input_times(t) for t in outputs]
    taps, valid = [], []
    for k in range(len(every[0])):
        rows = [x[frames.index(s[k])] if s[k] in frames else torch.zeros_like(x[0]) for s in every]
        taps.append(torch.stack(rows))
        valid.append(torch.tensor([float(s[k] in frames) for s in every], dtype=x.dtype).view(-1, 1, 1))
    return module(taps, valid)


def usable(c: Any, frames: range) -> list[int]:
    step = getattr(c, "output_period", getattr(c, "input_period", 1))
    taps = c.taps()
    out = []
    for t in range(-6, 12, step):
        times = c.input_times(t)
        required = [s for s, needed in zip(times, taps.required, strict=True) if needed]
        if all(s in frames for s in required) and any(s in frames for s in times):
            out.append(t)
    return out


@pytest.mark.parametrize("name", TAPPED)
@pytest.mark.parametrize("scripted", [False, True])
def test_formula_over_time(name: str, scripted: bool) -> None:
    c: Any = TAPPED[name]
    module: Any = from_component(c).eval()
    if scripted:
        module = torch.jit.script(module)
    frames = range(-2, 8)
    x = tapped_input(c, frames, 2)
    outputs = usable(c, frames)
    if c.TYPE == "RestrictedAttentionComponent":
        outputs = [t for t in outputs if t in frames]
    assert len(outputs) > 2
    got = run_taps(c, module, torch.from_numpy(x.astype(np.float32)), frames, outputs)
    for i, t in enumerate(outputs):
        for n in range(2):
            at = {s: x[j, n] for j, s in enumerate(frames)}
            want = one_output(c, at, c.input_times(t), t)
            np.testing.assert_allclose(got[i, n].detach().numpy(), want, rtol=2e-5, atol=1e-5)


@pytest.mark.parametrize("name", [*CASES, *TAPPED])
def test_round_trip_changes_nothing(name: str) -> None:
    component = CASES[name][0] if name in CASES else TAPPED[name]
    kept = component.copy()
    module = from_component(component)
    same_fields(module.to_component(), component)
    same_fields(module.double().float().eval().to_component(), component)
    for p in module.parameters():
        p.data.add_(1.0)
    same_fields(component, kept)


@pytest.mark.parametrize("name", [*CASES, *TAPPED])
def test_changed_parameters_come_back(name: str) -> None:
    component = CASES[name][0] if name in CASES else TAPPED[name]
    module = from_component(component)
    for p in module.parameters():
        p.data.mul_(0.5)
    made: Any = module.to_component()
    again = from_component(made)
    for p, q in zip(module.parameters(), again.parameters(), strict=True):
        assert torch.equal(p, q)
    if component.is_updatable and component.TYPE != "CompositeComponent":
        np.testing.assert_array_equal(made.vectorize(), 0.5 * component.vectorize())


def test_every_type_is_covered() -> None:
    assert (
        {name.split("-")[0] for name in CASES} | {c.TYPE for c in TAPPED.values()}
        == set(COMPONENTS)
        == {c.TYPE for c in MODULES}
    )


CLAIMS = ("is_identity", "is_affine", "is_rectifier", "is_scale_and_offset")


@pytest.mark.parametrize("name", [n for n, (c, _) in CASES.items() if any(getattr(c, claim) for claim in CLAIMS)])
def test_what_components_say_of_themselves_is_so(name: str) -> None:
    c = CASES[name][0]
    module = from_component(c).double().eval()
    x = torch.randn(3, 2, c.input_dim, dtype=torch.float64)
    with torch.no_grad():
        if c.is_identity:
            expected = x
        elif c.is_affine:
            expected = torch.nn.functional.linear(x, *module.affine())
        elif c.is_rectifier:
            expected = x.clamp(min=0.0)
        else:
            scale, offset = module.scale_and_offset()
            expected = scale * x + offset
        torch.testing.assert_close(module(x), expected)


def test_roles_are_of_parameters() -> None:
    for cls in MODULES.values():
        assert cls.ROLES == () or len(cls.ROLES) == len(cls.PARAMS), cls


def test_nobody_asks_for_the_name_of_a_type() -> None:
    """What a component is, it says in attributes; xconfig layers write configs, and so may name types."""
    package = Path(nnet3_compat.__file__).parent
    for path in package.rglob("*.py"):
        if path.relative_to(package).parts[0] not in ("components", "xconfig"):
            for node in ast.walk(ast.parse(path.read_text())):
                assert not (isinstance(node, ast.Constant) and node.value in COMPONENTS), f"{path}:{node.lineno}"


SMOOTH = [
    n for n, (c, _) in CASES.items()
    if c.TYPE not in INPUT_FREE | {"MaxpoolingComponent", "ScaleAndOffsetComponent", "BatchNormComponent"}
]  # fmt: skip


@pytest.mark.parametrize("name", SMOOTH)
def test_gradient(name: str) -> None:
    module = from_component(CASES[name][0]).double().eval()
    x = torch.randn(2, 2, input_dim(CASES[name][0]), dtype=torch.float64, requires_grad=True)
    parameters = [p for p in module.parameters() if p.requires_grad]
    assert torch.autograd.gradcheck(lambda x, *_: module(x), (x, *parameters))


@pytest.mark.parametrize("name", TAPPED)
def test_gradient_over_time(name: str) -> None:
    c: Any = TAPPED[name]
    module = from_component(c).double().eval()
    frames = range(0, 8)
    outputs = [t for t in usable(c, frames) if t in frames or c.TYPE != "RestrictedAttentionComponent"][:2]
    x = torch.from_numpy(tapped_input(c, frames, 1)).requires_grad_()
    assert torch.autograd.gradcheck(lambda x, *_: run_taps(c, module, x, frames, outputs), (x, *module.parameters()))


def test_batch_norm_training() -> None:
    c: Any = CASES["BatchNormComponent"][0]
    module = from_component(c).double().train()
    x = torch.randn(4, 3, 6, dtype=torch.float64, requires_grad=True)
    y = module(x)
    rows = x.detach().numpy().reshape(-1, 3)
    mean, variance = rows.mean(0), rows.var(0)
    want = 0.9 * (rows - mean) / np.sqrt(variance + 1e-3)
    np.testing.assert_allclose(y.detach().numpy().reshape(-1, 3), want, rtol=1e-10)
    made: Any = module.to_component()
    assert made.count == c.count + 24
    np.testing.assert_allclose(made.stats_sum, c.stats_sum + rows.sum(0), rtol=1e-12)
    np.testing.assert_allclose(made.stats_sumsq, c.stats_sumsq + (rows**2).sum(0), rtol=1e-12)
    changed = from_component(made).double().eval()
    torch.testing.assert_close(module.eval()(x), changed(x))
    assert torch.autograd.gradcheck(module.train(), (x,))


def test_batch_norm_in_test_mode_ignores_training() -> None:
    c: Any = CASES["BatchNormComponent"][0].copy()
    c.test_mode = True
    module, x = from_component(c), torch.randn(4, 3, 6)
    torch.testing.assert_close(module.train()(x), module.eval()(x))
    assert module.to_component().count == c.count


def test_batch_norm_follows_a_loaded_state() -> None:
    c: Any = CASES["BatchNormComponent"][0]
    other = c.copy()
    other.stats_sum = other.stats_sum + 3.0
    module = from_component(c).eval()
    module.load_state_dict(from_component(other).state_dict())
    x = torch.randn(2, 2, 6)
    torch.testing.assert_close(module(x), from_component(other).eval()(x))


def test_gradients_are_clipped_in_training_only() -> None:
    module = from_component(CASES["ClipGradientComponent"][0])
    g = torch.tensor([[[3.0, 4.0, 0.0, 0.0]], [[0.3, 0.4, 0.0, 0.0]]])
    for mode, first in ((True, 2.0), (False, 5.0)):
        x = torch.zeros(2, 1, 4, requires_grad=True)
        module.train(mode)(x).backward(g)
        assert x.grad is not None
        torch.testing.assert_close(x.grad.norm(dim=-1).flatten(), torch.tensor([first, 0.5]))


def test_backprop_truncation() -> None:
    module: Any = from_component(CASES["BackpropTruncationComponent"][0]).train()
    before = module.to_component()
    x = torch.zeros(5, 2, 4, requires_grad=True)
    marks = module.time_marks(torch.arange(3, 8), 2)
    module.train_on(x, marks).backward(torch.ones(5, 2, 4))
    norm = 0.7 * 2.0  # above the zeroing threshold, below the clipping threshold
    # Sequence 0 begins an interval at t = 4, sequence 1 at t = 5.
    want = torch.full((5, 2), norm)
    want[1, 0] = want[2, 1] = 0.0
    assert x.grad is not None
    torch.testing.assert_close(x.grad.norm(dim=-1), want)
    x.grad = None
    marks[0] = 0  # a row that does not count
    module.train_on(x, marks).backward(torch.full((5, 2, 4), 10.0).masked_fill(marks.unsqueeze(-1) == 0, 0.0))
    assert x.grad is not None
    assert float(x.grad.norm(dim=-1).max()) == pytest.approx(2.0)
    made = module.to_component()
    counted = [getattr(made, name) - getattr(before, name) for name in module.STATS]
    assert counted == [10 + 8, 2 + 2, 0 + 8, 2 + 2]


def test_noop_scales_the_gradient() -> None:
    x = torch.zeros(1, 1, 4, requires_grad=True)
    from_component(CASES["NoOpComponent"][0]).train()(x).sum().backward()
    assert x.grad is not None
    torch.testing.assert_close(x.grad, torch.full((1, 1, 4), 0.3))


def test_dropout() -> None:
    torch.manual_seed(0)
    x = torch.ones(200, 10, 4)
    y = from_component(CASES["DropoutComponent"][0]).train()(x)
    assert set(y.unique().tolist()) == {0.0, 1.0} and float(y.mean()) == pytest.approx(0.8, abs=0.03)
    frames = from_component(make("DropoutComponent", dim=4, dropout_proportion=0.2, dropout_per_frame=True)).train()(x)
    assert torch.equal(frames[..., 0], frames[..., 3])


def test_dropout_mask() -> None:
    torch.manual_seed(0)
    mask = from_component(CASES["DropoutMaskComponent"][0]).train()(torch.zeros(500, 4, 1))
    assert mask.shape == (500, 4, 3) and float(mask.mean()) == pytest.approx(0.75, abs=0.03)
    assert float((mask[..., 0] + mask[..., 1]).min()) == 1.0  # never both
    soft = from_component(CASES["DropoutMaskComponent-continuous"][0]).train()(torch.zeros(500, 4, 1))
    assert float(soft.min()) >= 0.5 and float(soft.max()) <= 1.5 and float(soft.mean()) == pytest.approx(1.0, abs=0.03)


def test_general_dropout() -> None:
    torch.manual_seed(0)
    x = torch.ones(12, 300, 6)
    y = from_component(CASES["GeneralDropoutComponent"][0]).train()(x)
    assert torch.equal(y[0], y[11]) and torch.equal(y[..., :3], y[..., 3:])
    assert set(y.unique().tolist()) == {0.0, 1.25} and float(y.mean()) == pytest.approx(1.0, abs=0.05)
    periods = from_component(make("GeneralDropoutComponent", dim=6, block_dim=6, time_period=5)).train()(x)
    assert torch.equal(periods[0], periods[4]) and not torch.equal(periods[4], periods[5])
    bands = make(
        "GeneralDropoutComponent", dim=6, block_dim=6, dropout_proportion=0.0, specaugment_max_proportion=0.5,
        specaugment_max_regions=2,
    )  # fmt: skip
    zeros = (from_component(bands).train()(x) == 0).sum(-1)
    assert int(zeros.max()) == 3 and int(zeros.min()) == 0


def test_spec_augment_over_time() -> None:
    torch.manual_seed(0)
    y = from_component(CASES["SpecAugmentTimeMaskComponent"][0]).train()(torch.ones(400, 8, 4))
    assert torch.equal(y[..., 0], y[..., 3]) and not torch.equal(y[:, 0], y[:, 1])
    assert float(y.mean()) == pytest.approx(0.75, abs=0.08)

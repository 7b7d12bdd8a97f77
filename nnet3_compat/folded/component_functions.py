"""What components compute in test mode, as numbers for functions.h: those that a folded network may have."""

from __future__ import annotations

import functools

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.errors import KaldiError
from nnet3_compat.components.affine import AffineComponent, LinearComponent
from nnet3_compat.components.backprop import BackpropTruncationComponent
from nnet3_compat.components.base import Component
from nnet3_compat.components.dropout import DropoutComponent
from nnet3_compat.components.fixed import FixedAffineComponent, FixedBiasComponent, FixedScaleComponent
from nnet3_compat.components.gru import GruNonlinearityComponent, OutputGruNonlinearityComponent
from nnet3_compat.components.lstm import LstmNonlinearityComponent
from nnet3_compat.components.nonlinear import (
    LogSoftmaxComponent,
    RectifiedLinearComponent,
    SigmoidComponent,
    SoftmaxComponent,
    TanhComponent,
)
from nnet3_compat.components.normalize import BatchNormComponent, NormalizeComponent
from nnet3_compat.components.per_element import (
    PerElementOffsetComponent,
    PerElementScaleComponent,
    ScaleAndOffsetComponent,
)
from nnet3_compat.components.rearrange import ElementwiseProductComponent, PermuteComponent
from nnet3_compat.components.tdnn import TdnnComponent
from nnet3_compat.components.time_height_convolution import TimeHeightConvolutionComponent

Numbers = np.ndarray
NONE = np.zeros(0, np.float32)
MAX_PERMUTED = 1 << 24  # columns beyond are no whole numbers in float32


def affine_of(component: Component) -> tuple[Numbers, Numbers | None]:
    """Of a component that ``is_affine``: W [output, taps * input] and b [output] or None, float32."""
    if isinstance(component, LinearComponent):
        return component.params, None
    if isinstance(component, AffineComponent | FixedAffineComponent | TdnnComponent):
        return component.linear_params, component.bias_params if component.bias_params.size else None
    raise KaldiError(f"{component.TYPE} is no affine map")


def filters_of(component: Component) -> tuple[Numbers, Numbers]:
    """Of a convolution: W [filters out, offsets * filters in] and b [filters out], float32."""
    if isinstance(component, TimeHeightConvolutionComponent):
        return component.linear_params, component.bias_params
    raise KaldiError(f"{component.TYPE} is no convolution")


def scale_and_offset_of(component: Component) -> tuple[Numbers, Numbers]:
    """Of a component that ``is_scale_and_offset``: s and o [dim] of test mode, float32."""
    if not isinstance(component, BatchNormComponent):
        raise KaldiError(f"{component.TYPE} is no scale and offset")
    mean, variance = np.zeros_like(component.stats_sum), np.ones_like(component.stats_sum)
    if component.count > 0:
        mean = component.stats_sum / component.count
        variance = np.maximum(component.stats_sumsq / component.count - mean * mean, 0.0)
    else:
        log.warning("batch normalization without statistics: using mean 0 and variance 1 (untrained network?)")
    scale = component.target_rms / np.sqrt(variance + component.epsilon)
    repeats = component.dim // component.block_dim
    return tuple(np.tile(x, repeats).astype(np.float32) for x in (scale, -mean * scale))  # type: ignore[return-value]


@functools.singledispatch
def function_of(component: Component) -> tuple[str, Numbers] | None:
    """The name of the function of single rows, and its parameters; None where there is none."""
    return None


for _component, _name in (
    (RectifiedLinearComponent, "RELU"),
    (SigmoidComponent, "SIGMOID"),
    (TanhComponent, "TANH"),
    (SoftmaxComponent, "SOFTMAX"),
    (LogSoftmaxComponent, "LOG_SOFTMAX"),
    (ElementwiseProductComponent, "PRODUCT"),
):
    function_of.register(_component, lambda component, name=_name: (name, NONE))


@function_of.register
def _(component: BatchNormComponent) -> tuple[str, Numbers] | None:
    return "SCALE_AND_OFFSET", np.concatenate(scale_and_offset_of(component))


@function_of.register(FixedScaleComponent)
@function_of.register(PerElementScaleComponent)
def _(component: FixedScaleComponent | PerElementScaleComponent) -> tuple[str, Numbers] | None:
    return "SCALE_AND_OFFSET", np.concatenate([component.scales, np.zeros_like(component.scales)])


@function_of.register
def _(component: FixedBiasComponent) -> tuple[str, Numbers] | None:
    return "SCALE_AND_OFFSET", np.concatenate([np.ones_like(component.bias), component.bias])


@function_of.register
def _(component: PerElementOffsetComponent) -> tuple[str, Numbers] | None:
    offsets = np.tile(component.offsets, component.dim // component.offsets.size)
    return "SCALE_AND_OFFSET", np.concatenate([np.ones_like(offsets), offsets])


@function_of.register
def _(component: ScaleAndOffsetComponent) -> tuple[str, Numbers] | None:
    blocks = component.dim // component.scales.size
    return "SCALE_AND_OFFSET", np.concatenate([np.tile(component.scales, blocks), np.tile(component.offsets, blocks)])


@function_of.register
def _(component: DropoutComponent) -> tuple[str, Numbers] | None:
    scales = np.full(component.dim, 1.0 - component.dropout_proportion, np.float32)
    return "SCALE_AND_OFFSET", np.concatenate([scales, np.zeros_like(scales)])


@function_of.register
def _(component: BackpropTruncationComponent) -> tuple[str, Numbers] | None:
    scales = np.full(component.dim, component.scale_factor, np.float32)
    return "SCALE_AND_OFFSET", np.concatenate([scales, np.zeros_like(scales)])


@function_of.register
def _(component: LstmNonlinearityComponent) -> tuple[str, Numbers] | None:
    return "LSTM", component.params.reshape(-1)


@function_of.register
def _(component: OutputGruNonlinearityComponent) -> tuple[str, Numbers] | None:
    return "OUTPUT_GRU", component.w_h


@function_of.register
def _(component: NormalizeComponent) -> tuple[str, Numbers] | None:
    return "NORMALIZE", np.array([component.block_dim, component.target_rms, component.add_log_stddev], np.float32)


@function_of.register
def _(component: PermuteComponent) -> tuple[str, Numbers] | None:
    if component.input_dim > MAX_PERMUTED:
        return None
    return "PERMUTE", np.array(component.column_map, np.float32)


def pieces_of(component: Component) -> list[int]:
    """The columns of what it reads, in pieces that may be of different values."""
    if isinstance(component, ElementwiseProductComponent):
        return [component.output_dim] * (component.input_dim // component.output_dim)
    if isinstance(component, LstmNonlinearityComponent):
        return [4 * component.cell_dim, component.cell_dim, *([3] if component.use_dropout else [])]
    if isinstance(component, OutputGruNonlinearityComponent):
        return [component.cell_dim] * 3
    if isinstance(component, GruNonlinearityComponent):
        cells, states = component.cell_dim, component.recurrent_dim
        return [cells, states, cells, cells, *([states] if component.input_dim > 3 * cells + states else [])]
    return [component.input_dim]

"""One component in place of two, for test time (Kaldi: nnet3/nnet-utils.cc, CollapseModel with its defaults)."""

from __future__ import annotations

import numpy as np

from nnet3_compat.components.affine import AffineComponent
from nnet3_compat.components.base import Component
from nnet3_compat.components.fixed import FixedAffineComponent, FixedScaleComponent


def collapse(first: Component, second: Component) -> Component | None:
    """What computes ``second`` of ``first``; None where the two cannot be joined, or joining would cost more.

    The input of ``second`` may be several copies of the output of ``first`` (at different times), appended.
    """
    if isinstance(second, AffineComponent):
        return _affine_after_affine(first, second)
    if isinstance(first, AffineComponent) and isinstance(second, FixedScaleComponent):
        return _scale_after_affine(first, second)
    return None


def _affine_after_affine(first: Component, second: AffineComponent) -> AffineComponent | None:
    if not isinstance(first, (AffineComponent, FixedAffineComponent)):
        return None
    # A bottleneck in between is cheaper as it is; and what does not fit is reported elsewhere.
    if first.input_dim > first.output_dim or second.input_dim % first.output_dim != 0:
        return None
    copies = second.input_dim // first.output_dim
    parts = second.linear_params.reshape(second.output_dim, copies, first.output_dim)
    linear = parts @ first.linear_params
    bias = second.bias_params + second.linear_params @ np.tile(first.bias_params, copies)
    return AffineComponent(linear_params=linear.reshape(second.output_dim, -1), bias_params=bias)


def _scale_after_affine(first: AffineComponent, second: FixedScaleComponent) -> AffineComponent | None:
    if first.output_dim != second.input_dim:
        return None
    joined = first.copy()
    joined.linear_params = first.linear_params * second.scales[:, None]
    joined.bias_params = first.bias_params * second.scales
    return joined

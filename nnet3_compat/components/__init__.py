"""The data model of Kaldi's 45 nnet3 component types; numpy only. Importing this package registers all of them."""

from nnet3_compat.components import (  # noqa: F401
    affine,
    attention,
    backprop,
    composite,
    constant,
    convolution,
    dropout,
    fixed,
    gru,
    lstm,
    nonlinear,
    normalize,
    per_element,
    rearrange,
    repeated_affine,
    statistics,
    tdnn,
    time_height_convolution,
)
from nnet3_compat.components.base import (
    COMPONENTS,
    Component,
    UpdatableComponent,
    new_component,
    read_component,
)
from nnet3_compat.components.randomness import set_seed

__all__ = ["COMPONENTS", "Component", "UpdatableComponent", "new_component", "read_component", "set_seed"]

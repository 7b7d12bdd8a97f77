"""nnet3's components as torch modules, one file per family.

    module = from_component(component)      # nnet3_compat.components -> torch
    component = module.to_component()       # and back; what was not trained is unchanged to the last bit

Tensors are [T, N, D], time first. Most modules have ``forward(x)`` and work on the last dimension. Those whose output
looks at several input times have ``forward(taps, valid)``: ``taps[k]``, [T_out, N, D], is the input at the k-th element
of ``component.input_times`` for each output frame, zero where there is none, and ``valid[k]``, [T_out, 1, 1], is 1
where there is one and 0 where not.

``eval()`` is Kaldi's test mode, ``train()`` its training mode. All modules can be scripted; a scripted module is always
in test mode.
"""

from nnet3_compat.modules import (  # noqa: F401  (importing them fills the registry)
    affine,
    attention,
    composite,
    constant,
    convolution,
    dropout,
    elementwise,
    gradient,
    nonlinear,
    normalize,
    pooling,
    rearrange,
    recurrent,
    statistics,
    tdnn,
    time_height,
)
from nnet3_compat.modules.base import MODULES, ComponentModule, from_component

__all__ = ["MODULES", "ComponentModule", "from_component"]

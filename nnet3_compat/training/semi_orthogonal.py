"""One step towards semi-orthogonal parameters (Kaldi: nnet3/nnet-utils.cc, ConstrainOrthonormal).

D. Povey et al., "Semi-orthogonal low-rank matrix factorization for deep neural networks", Interspeech 2018, section 2.
"""

from __future__ import annotations

import math
from typing import Any, TypeVar

import torch
from torch import Tensor

from kaldi_bridge import log
from nnet3_compat.modules.affine import Affine, Linear
from nnet3_compat.modules.base import ComponentModule
from nnet3_compat.modules.tdnn import Tdnn
from nnet3_compat.training.activations import Chance

PROBABILITY = 0.25  # a component is rarely far from the constraint: not each time

M = TypeVar("M", bound=Any)


def constrained_matrix(module: ComponentModule[Any]) -> tuple[Tensor, float] | None:
    """The matrix that is to stay semi-orthogonal and its scale, where the component asks for it."""
    scale = getattr(module.component, "orthonormal_constraint", 0.0)
    if scale == 0.0 or not isinstance(module, Affine | Linear | Tdnn):
        return None
    return (module.params if isinstance(module, Linear) else module.linear_params), scale


@torch.no_grad()
def constrain(modules: dict[str, ComponentModule[Any]], chance: Chance, quiet: bool = False) -> None:
    """A step for each component that asks for it, or rather for a random choice of them; ``quiet``: no warnings."""
    for name, module in modules.items():
        asked = constrained_matrix(module)
        if asked is not None and chance(f"semi-orthogonal {name}", PROBABILITY):
            matrix, scale = asked
            matrix.copy_(semi_orthogonal_step(matrix, scale, "" if quiet else name))


def semi_orthogonal_step(matrix: M, scale: float, name: str = "") -> M:
    """M - 4 (v / s²) (M Mᵀ - s² I) M for the shorter side of M, an array or a tensor; float32, of the same shape.

    s is ``scale``, or when that is negative the scale at which the step does not change the norm of M. The speed v is
    1/8, less far from convergence, with a warning where a ``name`` is given.
    """
    if matrix.shape[0] > matrix.shape[1]:
        return semi_orthogonal_step(matrix.T, scale, name).T
    p = matrix @ matrix.T
    speed = 0.125
    if scale < 0.0:
        trace, trace_of_square = float(p.trace()), float((p * p).sum())
        if not trace >= 1.0e-15:
            return matrix
        scale = math.sqrt(trace_of_square / trace)
        ratio = trace_of_square * p.shape[0] / (trace * trace)
        if ratio > 1.02:
            if name:
                log.warning(
                    f"Ratio is {ratio:g}, multiplying update speed (currently {speed:g}) by 0.5; component is {name}"
                )
            speed *= 0.5
        if ratio > 1.1:
            speed *= 0.5
    factor = 4.0 * speed / (scale * scale)
    return matrix * (1.0 + 4.0 * speed) - (p @ matrix) * factor

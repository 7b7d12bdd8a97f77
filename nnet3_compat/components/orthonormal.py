"""One step towards semi-orthogonal parameters (Kaldi: nnet3/nnet-utils.cc, ConstrainOrthonormal).

D. Povey et al., "Semi-orthogonal low-rank matrix factorization for deep neural networks", Interspeech 2018, section 2.
"""

from __future__ import annotations

import numpy as np

from nnet3_compat.components.affine import AffineComponent, LinearComponent
from nnet3_compat.components.base import Component
from nnet3_compat.components.tdnn import TdnnComponent


def constrain_orthonormal(component: Component) -> bool:
    """Apply the step where the component asks for it; False where it does not."""
    if not isinstance(component, (AffineComponent, LinearComponent, TdnnComponent)):
        return False
    if component.orthonormal_constraint == 0.0:
        return False
    if isinstance(component, LinearComponent):
        component.params = semi_orthogonal_step(component.params, component.orthonormal_constraint)
    else:
        component.linear_params = semi_orthogonal_step(component.linear_params, component.orthonormal_constraint)
    return True


def semi_orthogonal_step(matrix: np.ndarray, scale: float) -> np.ndarray:
    """M - 4 (v / s²) (M Mᵀ - s² I) M for the shorter side of M; float32, of the same shape.

    s is ``scale``, or when that is negative the scale at which the step does not change the norm of M. The speed v is
    1/8, less far from convergence.
    """
    if matrix.shape[0] > matrix.shape[1]:
        return np.ascontiguousarray(semi_orthogonal_step(matrix.T, scale).T)
    p = matrix @ matrix.T
    speed = 0.125
    if scale < 0.0:
        trace, trace_of_square = float(np.trace(p)), float(np.vdot(p, p))
        if trace < 1.0e-15:
            return matrix
        scale = float(np.sqrt(trace_of_square / trace))
        ratio = trace_of_square * p.shape[0] / (trace * trace)
        if ratio > 1.02:
            speed *= 0.5
        if ratio > 1.1:
            speed *= 0.5
    p[np.diag_indices_from(p)] -= scale * scale
    return (matrix - np.float32(4.0 * speed / (scale * scale)) * (p @ matrix)).astype(np.float32)

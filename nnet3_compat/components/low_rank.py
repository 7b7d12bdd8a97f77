"""Affine layers of lower rank, by singular value decomposition (Kaldi: nnet3/nnet-utils.cc)."""

from __future__ import annotations

import numpy as np

from kaldi_bridge import log
from nnet3_compat.components.affine import AffineComponent, LinearComponent, NaturalGradientAffineComponent
from nnet3_compat.components.summary import number


def svd(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """U, s, Vt of ``matrix`` = U diag(s) Vt, float64, singular values from largest to smallest."""
    return np.linalg.svd(matrix.astype(np.float64), full_matrices=False)


def reduce_rank(affine: AffineComponent, rank: int) -> tuple[float, float]:
    """Replace the linear parameters by their best approximation of this rank.

    Returns the sum of the singular values before and after.
    """
    u, s, vt = svd(affine.linear_params)
    affine.linear_params = ((u[:, :rank] * s[:rank]) @ vt[:rank]).astype(np.float32)
    return float(s.sum()), float(s[:rank].sum())


def factorize(
    name: str, affine: AffineComponent, bottleneck_dim: int, energy_threshold: float, shrinkage_threshold: float
) -> tuple[LinearComponent, NaturalGradientAffineComponent] | None:
    """Two smaller layers in place of one: W = B A with a bottleneck between them, the square root of s on each side.

    With ``energy_threshold`` above zero the bottleneck is as wide as is needed to keep this share of the squared
    singular values. None when the two would have more than ``shrinkage_threshold`` times the parameters of the one.
    """
    u, s, vt = svd(affine.linear_params)
    energy = np.cumsum(s * s)
    if energy_threshold > 0.0:
        bottleneck_dim = min(int(np.searchsorted(energy, energy_threshold * energy[-1])) + 1, s.size)
    ratio = bottleneck_dim * (affine.input_dim + affine.output_dim) / (affine.input_dim * affine.output_dim)
    if ratio > shrinkage_threshold:
        limit = number(shrinkage_threshold)
        log.info(f"Shrinkage ratio {number(ratio)} of component {name} is above {limit}: left as it is.")
        return None
    root = np.sqrt(s[:bottleneck_dim])
    first = LinearComponent(params=(vt[:bottleneck_dim] * root[:, None]).astype(np.float32), rank_in=40)
    second = NaturalGradientAffineComponent(
        linear_params=(u[:, :bottleneck_dim] * root).astype(np.float32), bias_params=affine.bias_params.copy()
    )
    for part in (first, second):
        part.learning_rate = affine.learning_rate
        part.learning_rate_factor = affine.learning_rate_factor
        part.l2_regularize = affine.l2_regularize
        part.is_gradient = affine.is_gradient
        part.max_change = affine.max_change
    before, after = float(energy[-1]), float(energy[bottleneck_dim - 1])
    log.info(
        f"Component {name}: ({affine.input_dim}, {affine.output_dim}) became ({affine.input_dim}, {bottleneck_dim}), "
        f"({bottleneck_dim}, {affine.output_dim}); squared singular values {number(before)} -> {number(after)}, "
        f"shrinkage ratio {number(ratio)}"
    )
    return first, second

"""What is done to all components of a network alike (nnet3/nnet-utils.h)."""

from __future__ import annotations

import numpy as np

from kaldi_bridge.errors import KaldiError
from nnet3_compat.components import Component, UpdatableComponent
from nnet3_compat.components.repeated_affine import RepeatedAffineComponent
from nnet3_compat.structure.nnet import Nnet


def updatable(nnet: Nnet) -> dict[str, UpdatableComponent]:
    """The components with parameters that are trained."""
    return {n: c for n, c in nnet.components.items() if isinstance(c, UpdatableComponent) and c.is_updatable}


def num_parameters(nnet: Nnet) -> int:
    """Of all components that can be trained."""
    return sum(component.num_parameters for component in updatable(nnet).values())


def set_learning_rate(nnet: Nnet, rate: float) -> None:
    """Times each component's own factor."""
    for component in updatable(nnet).values():
        component.set_underlying_learning_rate(rate)


def set_learning_rate_factor(nnet: Nnet, factor: float) -> None:
    """The same factor for all components that can be trained."""
    for component in updatable(nnet).values():
        component.learning_rate_factor = float(np.float32(factor))


def scale(nnet: Nnet, factor: float) -> None:
    """Scales parameters and stored statistics."""
    for component in nnet.components.values():
        component.scale(factor)


def add(nnet: Nnet, alpha: float, other: Nnet) -> None:
    """Adds ``alpha`` times the parameters and statistics of another network of the same components."""
    if list(nnet.components) != list(other.components):
        raise KaldiError("the networks have different components, so they cannot be added")
    for name, component in nnet.components.items():
        try:
            component.add(alpha, other.components[name])
        except KaldiError as error:
            raise KaldiError(f"component {name}: {error}") from None


def dot_products(a: Nnet, b: Nnet) -> dict[str, float]:
    """For each updatable component the dot product of its parameters in the two networks."""
    theirs = updatable(b)
    return {name: component.dot(theirs[name]) for name, component in updatable(a).items()}


def set_test_mode(nnet: Nnet, batchnorm: bool | None = None, dropout: bool | None = None) -> None:
    """Test mode of batch norm and of the random components; None leaves them alone."""
    for component in nnet.components.values():
        mode = dropout if component.is_random else batchnorm
        if mode is not None and hasattr(component, "set_test_mode"):
            component.set_test_mode(mode)


def convert_repeated_to_block(nnet: Nnet) -> int:
    """RepeatedAffineComponents become BlockAffineComponents that compute the same; how many."""
    converted = 0
    for name, component in nnet.components.items():
        if isinstance(component, RepeatedAffineComponent):
            nnet.components[name] = component.to_block_affine()
            converted += 1
    return converted


def components_like(nnet: Nnet, pattern: str) -> dict[str, Component]:
    """Components whose name matches a pattern in which * stands for anything."""
    return {name: component for name, component in nnet.components.items() if matches(name, pattern)}


def matches(name: str, pattern: str) -> bool:
    """Whether a name matches a pattern in which * stands for anything (greedy, in linear space)."""
    parts = pattern.split("*")
    if len(parts) == 1:
        return name == pattern
    if not name.startswith(parts[0]) or not name.endswith(parts[-1]):
        return False
    at = len(parts[0])
    end = len(name) - len(parts[-1])
    for part in parts[1:-1]:
        found = name.find(part, at, end)
        if found < 0:
            return False
        at = found + len(part)
    return at <= end

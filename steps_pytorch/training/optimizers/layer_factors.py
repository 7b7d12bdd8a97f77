"""Learning rates of single layers, as factors of the run's.

    tdnnf[1-5].*=0 output*=2 *=0.5        for each layer the first pattern that fits its name; 1 where none does

Factors that nnet3's components have themselves (learning-rate-factor) are multiplied by them. With a factor of 0 a
layer is frozen: its parameters stay as they are, to the last bit. Statistics of batch norm are no parameters: they are
those of the data that are trained on, as in Kaldi.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase

from torch import nn

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.text import words
from steps_pytorch.models.base import Model


def factors_of(text: str, layers: Iterable[str]) -> dict[str, float]:
    """The factor of each layer.

    Raises KaldiError for what is no pattern=factor, for a pattern without a layer, and where all layers are frozen.
    """
    rules = [_rule(word) for word in words(text)]
    names = list(layers)
    for pattern, _ in rules:
        if not any(fnmatchcase(name, pattern) for name in names):
            raise KaldiError(f"--learning-rate-factors: no layer is called {pattern}; there are {' '.join(names)}")
    factors = {name: next((f for pattern, f in rules if fnmatchcase(name, pattern)), 1.0) for name in names}
    if factors and not any(factors.values()):
        raise KaldiError(f"--learning-rate-factors={text}: all layers are frozen, so there is nothing to train")
    return factors


def _rule(word: str) -> tuple[str, float]:
    pattern, _, text = word.rpartition("=")
    try:
        factor = float(text)
    except ValueError:
        factor = math.nan
    if not pattern or not 0.0 <= factor < math.inf:
        raise KaldiError(f"--learning-rate-factors: {word!r} is not of the form pattern=factor, tdnn1.*=0.1 say")
    return pattern, factor


def parameters_by_factor(model: Model, factors: Mapping[str, float]) -> dict[float, list[nn.Parameter]]:
    """Those of the model to train, by the product of the factors of their layer; frozen ones get no derivatives.

    ``factors``: of layers by name, where they are not 1.
    """
    found: dict[float, list[nn.Parameter]] = {}
    for name, layer in model.parameters_of_layers().items():
        for parameter, own in layer.items():
            factor = own * factors.get(name, 1.0)
            if not factor:
                parameter.requires_grad_(False)
            if parameter.requires_grad:
                found.setdefault(factor, []).append(parameter)
    return found

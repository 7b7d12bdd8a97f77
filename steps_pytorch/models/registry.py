"""Which models there are."""

from __future__ import annotations

from collections.abc import Sequence

from steps_pytorch.models.base import Model
from steps_pytorch.registry import Dimensions, Registry

MODELS = Registry[Model](
    "model",
    "steps_pytorch.models",
    ("nnet3", "tdnn", "resnet", "wide_resnet", "blstm", "conformer", "wav2vec2", "nnet_pytorch.model"),
)


def build_model(name: str, words: Sequence[str], dimensions: Dimensions) -> Model:
    """A model with random parameters; ``words``: its own options, ``--name=value`` each.

    Raises KaldiError for an unknown name or option, or dimensions that it cannot have.
    """
    return MODELS.build(name, words, dimensions)

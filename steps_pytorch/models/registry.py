"""Which models there are."""

from __future__ import annotations

from collections.abc import Sequence

from kaldi_bridge.errors import KaldiError
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
    try:
        return MODELS.build(name, words, dimensions)
    except ValueError as error:  # PyTorch's, for a dropout of 2, say
        raise KaldiError(f"model {name}: {error}") from error

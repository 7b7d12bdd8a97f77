"""Changes of chain examples on the way to training: less context, other weights and names."""

from __future__ import annotations

import numpy as np

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.examples.chain_examples import ChainExample, ChainOutput
from kaldi_bridge.io.sparse import general_matrix_rows


def reduce_context(example: ChainExample, left: int, right: int) -> tuple[int, int]:
    """Drops input frames beyond ``left`` and ``right`` frames of context (-1: as they are); returns what there was.

    Raises KaldiError for merged examples, or those without 'input' and 'output'.
    """
    all_indexes = [part.indexes for part in example.inputs] + [part.indexes for part in example.outputs]
    if any(indexes[:, 0].any() for indexes in all_indexes):
        raise KaldiError("Too late to reduce the context of these examples: they are merged already")
    output = _output(example).indexes[:, 1]
    source = next((part for part in example.inputs if part.name == "input"), None)
    if source is None:
        raise KaldiError("No input named 'input' in the example")
    times = source.indexes[:, 1]
    had = int(output.min() - times.min()), int(times.max() - output.max())
    keep = np.ones(len(times), bool)
    if left != -1:
        keep &= times >= output.min() - left
    if right != -1:
        keep &= times <= output.max() + right
    if not keep.any():
        raise KaldiError("Reducing the context removed all frames of 'input'")
    if not keep.all():
        source.indexes = source.indexes[keep]
        source.features = general_matrix_rows(source.features, keep)
    return had


def scale_weight(example: ChainExample, weight: float) -> None:
    """Multiplies the weight of the supervision of 'output'."""
    _output(example).supervision.weight *= weight


def rename_output(example: ChainExample, name: str) -> None:
    """Gives 'output' another name, for networks of several tasks."""
    _output(example).name = name


def _output(example: ChainExample) -> ChainOutput:
    for output in example.outputs:
        if output.name == "output":
            return output
    raise KaldiError("No supervision with name 'output' exists in the example")

"""Changes of examples with targets for each frame, on the way to training (nnet3bin/nnet3-copy-egs.cc)."""

from __future__ import annotations

import numpy as np

from kaldi_bridge.c_random import CRandom
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.examples.frame_examples import NnetExample, NnetIo
from kaldi_bridge.io.sparse import general_matrix_rows, scaled


def scale_weight(example: NnetExample, weight: float) -> None:
    """Multiplies the targets of 'output'."""
    output = _part(example, "output")
    output.features = scaled(output.features, weight)


def rename_output(example: NnetExample, name: str) -> None:
    """Gives 'output' another name, for networks of several tasks."""
    _part(example, "output").name = name


def select_frame(example: NnetExample, frame: str, random: CRandom) -> bool:
    """Keeps only the targets of one frame, "random" or its number; all for "". False where there is no such frame.

    Raises KaldiError for merged examples.
    """
    _check_single(example)
    output = _part(example, "output")
    if not frame:
        return True
    times = output.indexes[:, 1]
    wanted = random.rand_int(int(times.min()), int(times.max())) if frame == "random" else int(frame)
    keep = times == wanted
    if not keep.any():
        return False
    _keep(output, keep)
    return True


def reduce_context(example: NnetExample, left: int, right: int) -> tuple[int, int]:
    """Drops input frames beyond ``left`` and ``right`` frames of context (-1: as they are); returns what there was."""
    _check_single(example)
    wanted, source = _part(example, "output").indexes[:, 1], _part(example, "input")
    times = source.indexes[:, 1]
    had = int(wanted.min() - times.min()), int(times.max() - wanted.max())
    keep = np.ones(len(times), bool)
    if left != -1:
        keep &= times >= wanted.min() - left
    if right != -1:
        keep &= times <= wanted.max() + right
    if not keep.any():
        raise KaldiError("Reducing the context removed all frames of 'input'")
    if not keep.all():
        _keep(source, keep)
    return had


def _keep(part: NnetIo, keep: np.ndarray) -> None:
    part.indexes = part.indexes[keep]
    part.features = general_matrix_rows(part.features, keep)


def _check_single(example: NnetExample) -> None:
    if any(part.indexes[:, 0].any() for part in example.io):
        raise KaldiError("Too late to perform frame selection/context reduction on these examples (already merged?)")


def _part(example: NnetExample, name: str) -> NnetIo:
    for part in example.io:
        if part.name == name:
            return part
    raise KaldiError(f"No io-node with name '{name}' exists in the example")

"""Starting from a model that was trained before, on other data or as a part of another network."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import torch

from kaldi_bridge import log
from kaldi_bridge.errors import KaldiError
from nnet3_compat.model.model_file import read_nnet
from nnet3_compat.network.network import Network
from steps_pytorch.models.base import Model
from steps_pytorch.training.run.checkpoints import load_state

SHOWN = 5


def warm_start(model: Model, source: str, skip: Sequence[str] = ()) -> None:
    """Takes over what has the same name and shape in ``source``: <n>.pt, a checkpoint, or nnet3's raw and .mdl.

    ``skip``: patterns of names that are left alone. What is not taken over keeps its random start, and is told.

    Raises:
        KaldiError: it cannot be read, or has nothing in common with the model.
    """
    found = _read(source)
    mine = model.state_dict()
    skipped = [name for name in mine if any(fnmatchcase(name, pattern) for pattern in skip)]
    taken = {
        name: found[name]
        for name, value in mine.items()
        if name not in skipped and name in found and found[name].shape == value.shape
    }
    if not taken:
        raise KaldiError(
            f"{source} has nothing of the names and shapes of this model's {', '.join(list(mine)[:SHOWN])}"
        )
    model.load_state_dict({**mine, **taken})
    left = [name for name in mine if name not in taken]
    log.info(f"Took {len(taken)} of {len(mine)} arrays from {source}")
    if left:
        shown = ", ".join(left[:SHOWN]) + (", ..." if len(left) > SHOWN else "")
        log.info(f"Left as they were: {shown}")


def _read(source: str) -> dict[str, Any]:
    if Path(source).suffix == ".pt":
        state = load_state(Path(source))
        return state["model"] if isinstance(state.get("model"), dict) else state
    network = Network.from_nnet(read_nnet(source))
    return {f"network.{name}": value for name, value in network.state_dict().items() if isinstance(value, torch.Tensor)}

"""Checkpoints of nnet_pytorch: ``<epoch>.mdl``, ``final.mdl``, ``<start>_<end>.mdl``.

A dictionary that torch has saved, whose ``model`` has the parameters by name; beside them may be the states of
objective, optimizer and schedule. torch before 1.6, for which that system was written, wrote no zip archives.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.streams import open_output
from kaldi_bridge.io.text import shown
from nnet3_compat.export.tensor_files import load_tensors


def read_checkpoint(path: Path) -> dict[str, Tensor]:
    """The parameters. Raises KaldiError where the file is missing, broken, or of something else, code for instance."""
    try:
        with open(path, "rb") as file:
            found = load_tensors(file, str(path), old=True)
    except OSError as error:
        raise KaldiError(f"cannot read {path}: {error.strerror}") from None
    model = found.get("model") if isinstance(found, dict) else None
    if not isinstance(model, Mapping) or not model:
        keys = (
            ", ".join(shown(str(key)) for key in list(found)[:5]) if isinstance(found, dict) else type(found).__name__
        )
        raise KaldiError(
            f"{path} is no checkpoint of nnet_pytorch, which has its parameters under 'model': it has {keys}"
        )
    for name, value in model.items():
        if not isinstance(name, str) or not isinstance(value, Tensor):
            raise KaldiError(f"{path}: {shown(str(name))} in its 'model' is no parameter")
    return dict(model)


def write_checkpoint(path: Path, state: Mapping[str, Tensor]) -> None:
    """As nnet_pytorch's average_models.py writes it: decode.py and ``train.py --init`` take it.

    In the old form, which every version of torch reads.
    """
    data = io.BytesIO()
    torch.save(
        {"model": {name: value.detach().cpu().clone() for name, value in state.items()}},
        data,
        _use_new_zipfile_serialization=False,
    )
    with open_output(str(path)) as stream:
        stream.write(data.getbuffer())

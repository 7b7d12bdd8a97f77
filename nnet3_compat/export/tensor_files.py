"""Files of tensors and plain values, as ``torch.save`` writes them; nothing in them is executed."""

from __future__ import annotations

import warnings
from typing import IO, Any

import torch

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.archive_extras import PROGRAM
from kaldi_bridge.io.onnx_metadata import is_onnx
from kaldi_bridge.io.text import strip
from kaldi_bridge.io.zip_archives import ZIP_MAGIC, check_zip

CONSTANTS = "constants.pkl"
"""A member that TorchScript's archives have, and files of tensors have not."""


def load_tensors(file: IO[bytes], name: str, *, old: bool = False) -> Any:
    """What was saved, on the CPU. Raises KaldiError with the reason, and ``name``, where it is something else.

    ``old``: files of torch before 1.6, which are no zip archives, will do too.
    """
    head = file.read(len(ZIP_MAGIC))
    if head.startswith((b"\0B", b"<")):
        raise KaldiError(f"{name} is a file of Kaldi's, a model perhaps, and no file of tensors")
    if is_onnx(head):
        raise KaldiError(f"{name} is an ONNX file, and no file of tensors")
    if not old or head == ZIP_MAGIC:
        inner = {member.partition("/")[2] for member in check_zip(file, name)}
        if inner & {CONSTANTS, PROGRAM}:
            raise KaldiError(f"{name} is an archive of TorchScript or torch.export, and no file of tensors")
    file.seek(0)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about kinds of pickles
            return torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises many kinds for a damaged file
        raise KaldiError(f"{name} is broken, or no file of tensors ({reason_of(error)})") from error


def reason_of(error: Exception) -> str:
    """The first line of torch's message, or what kind of error it is where there is none, or only bad advice."""
    line = next(filter(None, map(strip, str(error).split("\n"))), "")
    return line if line and "weights_only" not in line else type(error).__name__

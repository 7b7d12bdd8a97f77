"""Files of tensors and plain values, as ``torch.save`` writes them; nothing in them is executed."""

from __future__ import annotations

from typing import IO, Any

import torch

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.text import strip
from kaldi_bridge.io.zip_archives import ZIP_MAGIC, check_zip


def load_tensors(file: IO[bytes], name: str, *, old: bool = False) -> Any:
    """What was saved, on the CPU. Raises KaldiError with the reason, and ``name``, where it is something else.

    ``old``: files of torch before 1.6, which are no zip archives, will do too.
    """
    if not old or file.read(len(ZIP_MAGIC)) == ZIP_MAGIC:
        check_zip(file, name)
    file.seek(0)
    try:
        return torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises many kinds for a damaged file
        raise KaldiError(f"{name} is broken, or no file of tensors ({reason_of(error)})") from error


def reason_of(error: Exception) -> str:
    """The first line of torch's message, or what kind of error it is where there is none, or only bad advice."""
    line = next(filter(None, map(strip, str(error).split("\n"))), "")
    return line if line and "weights_only" not in line else type(error).__name__

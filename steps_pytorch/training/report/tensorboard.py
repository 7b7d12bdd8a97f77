"""TensorBoard files, on request."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kaldi_bridge.errors import KaldiError


def open_tensorboard(folder: Path) -> Any:
    """A SummaryWriter into the folder's ``tensorboard``. Raises KaldiError where TensorBoard is not installed."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        raise KaldiError("--tensorboard=true needs TensorBoard: pip install 'nnet-pytorch[tensorboard]'") from None
    return SummaryWriter(str(folder / "tensorboard"))

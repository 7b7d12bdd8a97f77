"""Mixed precision: matrix products in sixteen bits, parameters and sums in thirty-two."""

from __future__ import annotations

import torch

from kaldi_bridge.errors import KaldiError

PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


def check_precision(name: str, device: torch.device) -> None:
    """Raises KaldiError for a precision that the device has not."""
    if name not in PRECISIONS:
        raise KaldiError(f"--precision={name} must be one of {', '.join(PRECISIONS)}")
    if name == "float16" and device.type != "cuda":
        raise KaldiError("--precision=float16 needs a GPU; on the CPU there is bfloat16")


def autocast(name: str, device: torch.device) -> torch.autocast:
    """A context in which models and objectives compute."""
    return torch.autocast(device.type, PRECISIONS[name], enabled=name != "float32")

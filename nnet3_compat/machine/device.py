"""The meaning of --use-gpu."""

from __future__ import annotations

import time

import torch

from kaldi_bridge import log
from kaldi_bridge.errors import KaldiError
from nnet3_compat.machine.gpu_wanted import gpu_wanted


def select_device(use_gpu: str) -> torch.device:
    """``no``: the CPU. ``yes``: a CUDA device; ``optional``: one if there is one; ``wait``: wait until one is free.

    As with Kaldi, whose option only counts where it was compiled with CUDA, a torch without CUDA computes on the CPU.

    Raises:
        KaldiError: another word, or ``yes`` with a torch for CUDA on a machine where no GPU can be used.
    """
    if not gpu_wanted(use_gpu):
        return torch.device("cpu")
    while True:
        problem = try_gpu()
        if problem is None:
            return torch.device("cuda")
        if use_gpu == "optional":
            log.warning(f"Running on CPU!!! No CUDA GPU detected ({problem})...")
            return torch.device("cpu")
        if use_gpu == "yes":
            raise KaldiError(f"--use-gpu=yes, but no CUDA GPU can be used ({problem}); give --use-gpu=no or optional")
        log.info(f"Waiting for a GPU ({problem})")
        time.sleep(5)


def try_gpu() -> str | None:
    """None where a GPU computes, else why not."""
    if not torch.cuda.is_available():
        return "torch.cuda.is_available() is false"
    try:
        torch.rand(2, 2, device="cuda").softmax(1).sum().item()
    except RuntimeError as error:
        return str(error).partition("\n")[0]
    return None

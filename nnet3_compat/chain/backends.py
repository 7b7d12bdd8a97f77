"""What computes the denominator: one definition, several implementations.

``plain``: PyTorch, for any device and precision. ``native``: C++, for float32 on the CPU. ``triton``: kernels for
float32 on an Nvidia GPU. ``pychain``: PyChain's code, for float32. ``auto``: the fastest of ours that can be had.
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
from typing import Any

import torch
from torch import Tensor

from kaldi_bridge import log
from kaldi_bridge.errors import KaldiError
from nnet3_compat.chain.extension import extension

BACKENDS = ("auto", "plain", "native", "triton", "pychain")


def choose(backend: str, output: Tensor) -> str:
    """``backend``, or what stands for ``auto``. Raises KaldiError where it cannot be had for this output."""
    if backend not in BACKENDS:
        raise KaldiError(f"no backend '{backend}': it must be one of {', '.join(BACKENDS)}")
    device, single = output.device.type, output.dtype == torch.float32
    if backend == "auto":
        if device == "cpu" and single and extension() is not None:
            return "native"
        return "triton" if device == "cuda" and single and _triton_is_there() else "plain"
    problem = None
    if backend == "native":
        problem = "it is for the CPU" if device != "cpu" else None if extension() is not None else "it is not built"
    elif backend == "triton":
        problem = "it is for Nvidia GPUs" if device != "cuda" else None if _triton_is_there() else "triton is missing"
    elif backend == "pychain" and pychain() is None:
        problem = "PyChain (with its pychain_C) cannot be imported"
    if backend != "plain" and not single:
        problem = f"it is for float32, and the output is {output.dtype}"
    if problem:
        raise KaldiError(f"backend '{backend}' cannot compute this denominator: {problem}")
    return backend


@functools.cache
def _triton_is_there() -> bool:
    """Says so once where it is not."""
    if torch.version.hip is None and importlib.util.find_spec("triton") is not None:
        return True
    log.warning("There is no Triton for this GPU: computing the denominator in plain PyTorch, many times slower")
    return False


def pychain() -> Any:
    """The module of PyChain; None where there is none, or another one of that name."""
    try:
        module = importlib.import_module("pychain")
        importlib.import_module("pychain_C")
    except ImportError:
        return None
    wanted = ("ChainGraph", "ChainGraphBatch", "ChainFunction")
    return module if all(hasattr(module, name) for name in wanted) else None

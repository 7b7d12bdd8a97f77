"""The C++ part of training, where it was built."""

from __future__ import annotations

import functools
import importlib
from typing import Any


@functools.cache
def extension() -> Any:
    """The module; None where it is missing: then PyTorch's operations do its work one after the other."""
    try:
        return importlib.import_module("nnet3_compat.modules._csrc")
    except ImportError:
        return None

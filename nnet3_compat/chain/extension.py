"""The C++ part of LF-MMI, where it was built."""

from __future__ import annotations

import functools
import importlib
from typing import Any

from kaldi_bridge import log


@functools.cache
def extension() -> Any:
    """The module; None, and a warning, where it is missing: then everything is computed in plain PyTorch."""
    try:
        return importlib.import_module("nnet3_compat.chain._csrc")
    except ImportError:
        log.warning("The C++ part of LF-MMI is not built (no compiler?): computing in plain PyTorch, many times slower")
        return None

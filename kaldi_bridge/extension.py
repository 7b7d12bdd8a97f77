"""The C++ part of kaldi_bridge: search, determinization, epsilon removal, parsing of examples and language models.

Where it was not built, what needs it says so when it needs it.
"""

import importlib
from typing import Any, NoReturn

from kaldi_bridge.errors import KaldiError


class _NotBuilt:
    def __getattr__(self, name: str) -> NoReturn:
        raise KaldiError(
            "this needs the C++ part of nnet-pytorch, which is not built: install nnet-pytorch again where there is a "
            "C++ compiler (in a checkout: NNET_PYTORCH_EXTENSION=required python setup.py build_ext --inplace)"
        )


try:
    _csrc: Any = importlib.import_module("kaldi_bridge._csrc")
except ImportError:
    _csrc = _NotBuilt()

__all__ = ["_csrc"]

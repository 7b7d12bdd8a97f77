"""Networks and users' own modules made into files that run elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kaldi_bridge.lazy import lazy_names

if TYPE_CHECKING:
    from nnet3_compat.export.torchscript import export_network, wrap

__all__ = ["export_network", "wrap"]
__getattr__ = lazy_names(__name__, {"export_network": "torchscript", "wrap": "torchscript"})

"""Networks that compute: the executor, the torch.nn.Module, and what stands in its place where nothing is trained."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kaldi_bridge.lazy import lazy_names

if TYPE_CHECKING:
    from nnet3_compat.network.network import Network

__all__ = ["Network"]
__getattr__ = lazy_names(__name__, {"Network": "network"})

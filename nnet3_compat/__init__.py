"""Kaldi's nnet3 networks in PyTorch: the names that a Python user needs (docs/python.md).

    from nnet3_compat import Network, read_model, write_model

Each is imported when it is first used; importing the package imports no torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kaldi_bridge.lazy import lazy_names

if TYPE_CHECKING:
    from nnet3_compat.chain.denominator_graph import DenominatorGraph
    from nnet3_compat.chain.loss import ChainLoss
    from nnet3_compat.chain.options import ChainOptions
    from nnet3_compat.export.torch_model import TorchModel
    from nnet3_compat.export.torchscript import export_network, wrap
    from nnet3_compat.model.model_file import read_model, read_nnet, write_model
    from nnet3_compat.network.network import Network
    from nnet3_compat.recognition.model import Model
    from nnet3_compat.recognition.recognizer import Recognizer

__all__ = [
    "ChainLoss",
    "ChainOptions",
    "DenominatorGraph",
    "Model",
    "Network",
    "Recognizer",
    "TorchModel",
    "export_network",
    "read_model",
    "read_nnet",
    "wrap",
    "write_model",
]
__getattr__ = lazy_names(
    __name__,
    {
        "ChainLoss": "chain.loss",
        "ChainOptions": "chain.options",
        "DenominatorGraph": "chain.denominator_graph",
        "Model": "recognition.model",
        "Network": "network.network",
        "Recognizer": "recognition.recognizer",
        "TorchModel": "export.torch_model",
        "export_network": "export.torchscript",
        "read_model": "model.model_file",
        "read_nnet": "model.model_file",
        "wrap": "export.torchscript",
        "write_model": "model.model_file",
    },
)

"""Models that torch computes, as a Computer wants them."""

from __future__ import annotations

import math
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from kaldi_bridge.errors import KaldiError
from nnet3_compat.export.torch_model import TorchModel
from nnet3_compat.model.am_nnet import AmNnet
from nnet3_compat.model.model_file import Archive
from nnet3_compat.model.model_file import Model as AnyModel
from nnet3_compat.network.inference import Inference
from nnet3_compat.network.network import Network
from nnet3_compat.structure.invariance import chunk_invariant
from nnet3_compat.structure.nnet import Nnet


class TensorModel(Protocol):
    """A computation.Model on tensors: a NetworkModel, a TorchModel."""

    left_context: int
    right_context: int
    modulus: int
    input_dim: int
    ivector_dim: int
    output_dim: int
    frame_subsampling_factor: int

    @property
    def device(self) -> torch.device:
        """Where it computes."""
        ...

    def chunk_invariant(self, num_outputs: int) -> bool: ...

    def __call__(self, features: Tensor, ivector: Tensor | None, left: int, num_outputs: int) -> Tensor: ...


class NetworkModel:
    """A Network in test mode as a Computer wants it, with a given frame subsampling factor."""

    def __init__(self, network: Network, frame_subsampling_factor: int) -> None:
        if frame_subsampling_factor < 1:
            raise KaldiError("--frame-subsampling-factor and --frames-per-chunk must be > 0")
        self.network = network.eval()
        self.frame_subsampling_factor = frame_subsampling_factor
        self.left_context, self.right_context = network.left_context, network.right_context
        self.modulus = network.modulus
        self.inference = Inference(network.graph(), network.executor())
        self.input_dim, self.ivector_dim, self.output_dim = network.input_dim, network.ivector_dim, network.output_dim

    @property
    def device(self) -> torch.device:
        first = next(self.network.parameters(), None)
        return torch.device("cpu") if first is None else first.device

    def chunk_invariant(self, num_outputs: int) -> bool:
        """Also makes the layouts for pieces of any length at once, so that each utterance need not be planned."""
        factor = self.frame_subsampling_factor
        unit = math.lcm(factor, self.modulus) // factor
        graph = self.network.graph()
        if not chunk_invariant(graph, factor, self.left_context, self.right_context, num_outputs, unit):
            return False
        self.network.layout_table(self.network.request(num_outputs, factor=factor))
        return True

    def __call__(self, features: Tensor, ivector: Tensor | None, left: int, num_outputs: int) -> Tensor:
        network = self.network
        inputs = network.check_inputs(features, ivector)
        right = features.shape[1] - left - 1 - (num_outputs - 1) * self.frame_subsampling_factor
        request = network.request(num_outputs, factor=self.frame_subsampling_factor, left=left, right=right)
        names = network.executor().input_names
        return self.inference([inputs[name] for name in names], network.layout(request))[0].transpose(0, 1)


class OnArrays:
    """A computation.Model of one on tensors."""

    any_thread = False
    num_threads = 1

    def __init__(self, model: TensorModel) -> None:
        self._model = model
        self.left_context, self.right_context, self.modulus = model.left_context, model.right_context, model.modulus
        self.input_dim, self.ivector_dim, self.output_dim = model.input_dim, model.ivector_dim, model.output_dim
        self.frame_subsampling_factor = model.frame_subsampling_factor
        self.on_cpu = model.device.type == "cpu"

    def chunk_invariant(self, num_outputs: int) -> bool:
        """As the model's."""
        return self._model.chunk_invariant(num_outputs)

    def __call__(self, features: np.ndarray, ivector: np.ndarray | None, left: int, num_outputs: int) -> np.ndarray:
        device = self._model.device
        with torch.inference_mode():
            given = None if ivector is None else torch.from_numpy(ivector).to(device)
            made: np.ndarray = (
                self._model(torch.from_numpy(features).to(device), given, left, num_outputs).cpu().numpy()
            )
        return made


def tensor_model(
    model: AnyModel, frame_subsampling_factor: int, device: torch.device, name: str = "model"
) -> NetworkModel | TorchModel:
    """What read_any gave, ready to compute on ``device``."""
    if isinstance(model, Archive):
        loaded = TorchModel.from_archive(model, name)
        loaded.expect_whole_utterances(name)
        return loaded.to(device)
    nnet = model.nnet if isinstance(model, AmNnet) else model
    assert isinstance(nnet, Nnet)
    return NetworkModel(Network.from_nnet(nnet).to(device), frame_subsampling_factor)

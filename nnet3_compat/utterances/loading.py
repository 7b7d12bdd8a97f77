"""From a model file of any kind to something that computes utterances."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from kaldi_bridge.errors import KaldiError
from nnet3_compat.export.torch_model import TorchModel
from nnet3_compat.machine.device import select_device
from nnet3_compat.model.am_nnet import AmNnet
from nnet3_compat.model.model_file import Archive, read_any
from nnet3_compat.model.model_file import Model as AnyModel
from nnet3_compat.model.priors import PriorOptions
from nnet3_compat.network.inference import Inference
from nnet3_compat.network.network import Network
from nnet3_compat.structure.invariance import chunk_invariant
from nnet3_compat.structure.nnet import Nnet
from nnet3_compat.utterances.computation import Computer, Model

if TYPE_CHECKING:
    from nnet3_compat.utterances.chunking import ChunkRule
    from nnet3_compat.utterances.computation_options import SimpleComputationOptions


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


def as_model(model: AnyModel, frame_subsampling_factor: int, device: torch.device, name: str = "model") -> Model:
    """What read_any gave, ready to compute on ``device``."""
    if isinstance(model, Archive):
        return TorchModel.from_archive(model, name).to(device)
    nnet = model.nnet if isinstance(model, AmNnet) else model
    assert isinstance(nnet, Nnet)
    return NetworkModel(Network.from_nnet(nnet).to(device), frame_subsampling_factor)


def priors_of(model: AnyModel, loaded: Model) -> np.ndarray | None:
    """The priors that came with a model, if any."""
    if isinstance(model, AmNnet):
        return model.priors
    return getattr(loaded, "priors", None)


def make_computer(
    model: AnyModel,
    options: SimpleComputationOptions,
    use_gpu: str,
    priors: PriorOptions | None,
    name: str = "model",
    rule: ChunkRule | None = None,
) -> Computer:
    """A Computer for what model_file.read_any gave; ``priors``: None to leave outputs undivided; ``rule``: how it
    cuts utterances (default: as nnet3-compute).

    Raises:
        KaldiError: the model cannot be run, does not fit the options, or has no priors though they are to be used.
    """
    loaded = as_model(model, options.frame_subsampling_factor, select_device(use_gpu), name)
    if priors and isinstance(model, Nnet):
        raise KaldiError(f"{name}: --use-priors=true needs a .mdl; this is a raw network, which has no priors")
    own = priors_of(model, loaded) if priors else None
    divisors = priors.log_divisors(own) if priors and own is not None and len(own) else None
    return Computer(loaded, options, divisors, rule)


def load_computer(
    rxfilename: str,
    options: SimpleComputationOptions,
    use_gpu: str,
    priors: PriorOptions | None,
    rule: ChunkRule | None = None,
) -> Computer:
    """A Computer for a model file of any kind (Kaldi raw, Kaldi .mdl, TorchScript, our .mdl)."""
    return make_computer(read_any(rxfilename), options, use_gpu, priors, rxfilename, rule)

"""A network of nnet_pytorch as a model: trained, decoded with, written back."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from kaldi_bridge.command import option
from kaldi_bridge.errors import KaldiError, within
from kaldi_bridge.hmm.transition_model import TransitionModel
from nnet3_compat.export.torch_model import TorchModel
from nnet3_compat.export.torchscript import wrap
from steps_pytorch.models.base import Model, ModelOutput
from steps_pytorch.models.nnet_pytorch.blstm import Blstm
from steps_pytorch.models.nnet_pytorch.checkpoint import read_checkpoint
from steps_pytorch.models.nnet_pytorch.configuration import NAME, Configuration
from steps_pytorch.models.nnet_pytorch.decoded import Decoded
from steps_pytorch.models.nnet_pytorch.network import Network, State
from steps_pytorch.models.nnet_pytorch.resnet import Resnet
from steps_pytorch.models.nnet_pytorch.tdnn import Tdnn
from steps_pytorch.models.nnet_pytorch.wide_resnet import WideResnet
from steps_pytorch.models.registry import MODELS
from steps_pytorch.registry import Dimensions

NETWORKS: dict[str, Callable[[Configuration, State], Network]] = {
    "TDNN": Tdnn,
    "Resnet": Resnet,
    "WideResnet": WideResnet,
    "BLSTM": Blstm,
}


@dataclass
class NnetPytorchOptions:
    """Options of ``nnet-pytorch``."""

    checkpoint: str = option("", "A .mdl of m-wiesner/nnet_pytorch to train on from (required)")
    conf: str = option("", "The conf.<n>.json that it was trained with; default: conf.1.json beside it")


class NnetPytorchModel(Model):
    """Chunks have the contexts of the checkpoint's training, and right_context ends with the last frame of a chunk:
    n outputs are of n * factor frames, not of (n - 1) * factor + 1."""

    def __init__(self, network: Network, configuration: Configuration, feature_dim: int, xent: bool = False) -> None:
        """Raises KaldiError where ``xent`` is wanted, and there is no second branch."""
        super().__init__()
        if xent and not configuration.chain:
            raise KaldiError(
                "the network has no second branch for the cross-entropy regularizer: give the objective "
                "--xent-regularize=0"
            )
        self.network, self.configuration, self.xent = network, configuration, xent
        self.feature_dim, self.num_pdfs = feature_dim, network.num_pdfs
        self.frame_subsampling_factor = network.factor
        self.left_context, self.right_context = network.left_context, network.right_context + network.factor - 1

    def forward(self, features: Tensor, ivectors: Tensor | None = None) -> ModelOutput:
        wanted = self.frames_in(self.num_outputs(features.size(1)))
        output, seen = self.network(features[:, :wanted])
        xent = self.network.second(seen).log_softmax(-1) if self.xent and self.training else None
        return ModelOutput(output, xent)

    def to_archive(
        self, transition_model: TransitionModel | str | None = None, priors: np.ndarray | None = None
    ) -> TorchModel:
        """What decodes, in chunks as there; with the second branch, for the way back."""
        configuration = self.configuration
        decoded = Decoded(copy.deepcopy(self.network), configuration)
        at_once = configuration.minibatch_size if self.network.mixes_sequences else 1
        return wrap(
            decoded,
            input_dim=self.feature_dim,
            output_dim=self.num_pdfs,
            left_context=self.left_context,
            right_context=self.right_context,
            frame_subsampling_factor=self.frame_subsampling_factor,
            modulus=decoded.width * at_once,
            transition_model=transition_model,
            priors=priors,
        )

    def write_mdl(self, wxfilename: str, transition_model: TransitionModel, priors: np.ndarray | None = None) -> None:
        self.to_archive(transition_model, priors).save(wxfilename)


def read_network(checkpoint: Path, conf: Path) -> tuple[Configuration, Network]:
    """The training's options, of the file ``conf``, and the network in eval mode.

    Raises:
        KaldiError: a file cannot be read, or the checkpoint has other parameters than the configuration makes.
    """
    state = read_checkpoint(checkpoint)  # first: of some other file, that is what there is to say
    if not conf.is_file():
        raise KaldiError(f"there is no {conf}: give the configuration of the training, its conf.<n>.json, as --conf")
    configuration = Configuration.read(conf)
    with within(str(checkpoint)):
        return configuration, network_of(configuration, state)


def network_of(configuration: Configuration, state: State) -> Network:
    """Raises KaldiError naming parameters that are missing, superfluous or of other shapes."""
    with torch.device("meta"):  # no memory for sizes that a file claims
        network = NETWORKS[configuration.model](configuration, state)
    own = network.state_dict()
    for name in sorted(own.keys() ^ state.keys()):
        what = "lacks" if name in own else "has more than a"
        raise KaldiError(f"its 'model' {what} {configuration.values['model']} of {NAME}: {name}")
    for name, value in own.items():
        _check_parameter(name, state[name], value)
    network.load_state_dict(state, assign=True)
    return network.float().eval()


def _check_parameter(name: str, found: Tensor, wanted: Tensor) -> None:
    """Raises KaldiError for another shape, another kind of numbers, or numbers that are none."""
    if found.shape != wanted.shape:
        raise KaldiError(f"{name} is of shape {list(found.shape)}, and would be of {list(wanted.shape)} by {NAME}")
    if found.is_floating_point() != wanted.is_floating_point():
        raise KaldiError(f"{name} is of {found.dtype}, and would be of {wanted.dtype}")
    if found.layout != torch.strided or not found.is_contiguous():
        raise KaldiError(f"{name} does not lie in the file as nnet_pytorch's parameters do")
    if not found.isfinite().all():
        raise KaldiError(f"{name} has numbers that are infinite or none: its training has failed")


@MODELS.add("nnet-pytorch", NnetPytorchOptions)
def make_nnet_pytorch(options: NnetPytorchOptions, dimensions: Dimensions) -> NnetPytorchModel:
    """Raises KaldiError where the network has other dimensions than the data and targets."""
    if not options.checkpoint:
        raise KaldiError("model nnet-pytorch: --checkpoint=<.mdl of nnet_pytorch> is required")
    checkpoint = Path(options.checkpoint)
    conf = Path(options.conf) if options.conf else checkpoint.parent / NAME
    configuration, network = read_network(checkpoint, conf)
    for what, has, wanted in (
        ("features of dimension", network.feature_dim or dimensions.feature_dim, dimensions.feature_dim),
        ("i-vectors of dimension", 0, dimensions.ivector_dim),
        ("targets: pdfs numbering", network.num_pdfs, dimensions.num_pdfs),
        ("an output frame for each of input frames", network.factor, dimensions.frame_subsampling_factor),
    ):
        if has != wanted:
            raise KaldiError(f"{checkpoint} is for {what} {has}, but the data have {wanted}")
    return NnetPytorchModel(network, configuration, dimensions.feature_dim, dimensions.xent)

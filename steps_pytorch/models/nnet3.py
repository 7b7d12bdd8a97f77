"""Every network that nnet3 has: from an xconfig, a config, or a model that exists."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from kaldi_bridge.command import option
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.hmm.transition_model import TransitionModel
from kaldi_bridge.io.streams import open_input
from kaldi_bridge.io.text import key_and_rest
from nnet3_compat.components import set_seed
from nnet3_compat.model.am_nnet import AmNnet
from nnet3_compat.model.changes import read_lines
from nnet3_compat.model.model_file import read_nnet, write_model
from nnet3_compat.model.new_outputs import with_new_outputs
from nnet3_compat.modules.composite import Composite
from nnet3_compat.modules.dropout import Random, RandomProportion
from nnet3_compat.modules.normalize import BatchNorm
from nnet3_compat.network.network import Network
from nnet3_compat.structure.nnet import Nnet, OutputNode
from nnet3_compat.xconfig.nnet import nnet_of_xconfig
from steps_pytorch.models.base import Model, ModelOutput
from steps_pytorch.models.registry import MODELS
from steps_pytorch.registry import Dimensions

XENT_OUTPUT = "output-xent"
STATS_SCALE = 0.8
CONFIG_LINES = ("component", "component-node", "input-node", "output-node", "dim-range-node")


@dataclass
class Nnet3Options:
    """Options of ``nnet3``."""

    network: str = option("", "xconfig or config file, or a raw model or .mdl to train on from (required)")
    new_outputs: bool = option(False, "Put new output layers, for the targets' pdfs, in the place of the network's")


class Nnet3Model(Model):
    """``network`` as the training loop wants it.

    ``xent``: whether ``output-xent`` is computed in training.
    ``is_watched``: whether natural gradient watches the network in training mode.
    """

    is_watched = False

    def __init__(self, nnet: Nnet, frame_subsampling_factor: int = 1, xent: bool = False) -> None:
        """Raises KaldiError for a network that cannot be run, or has no ``output-xent`` where that is wanted."""
        super().__init__()
        if xent and not isinstance(nnet.node(XENT_OUTPUT), OutputNode):
            raise KaldiError(
                f"the network has no output named {XENT_OUTPUT} for the cross-entropy regularizer: "
                "add one, or give the objective --xent-regularize=0"
            )
        self.network = Network.from_nnet(nnet)
        self.frame_subsampling_factor = frame_subsampling_factor
        self.xent = xent
        self.feature_dim, self.ivector_dim = self.network.input_dim, self.network.ivector_dim
        self.num_pdfs = self.network.output_dim
        self.left_context, self.right_context = self.network.left_context, self.network.right_context
        self.train()

    def forward(self, features: Tensor, ivectors: Tensor | None = None) -> ModelOutput:
        factor = self.frame_subsampling_factor
        if not (self.xent and self.training):
            output = self.network(features, ivectors, factor=factor)
            assert isinstance(output, Tensor)
            return ModelOutput(output)
        return ModelOutput(*self.network(features, ivectors, factor=factor, outputs=("output", XENT_OUTPUT)))

    def watched(self) -> AbstractContextManager[None]:
        return _training_as_in_test_mode(self.network) if self.is_watched else nullcontext()

    def after_update(self) -> None:
        """Statistics of batch norm forget older minibatches, as with natural gradient (--batchnorm-stats-scale)."""
        for module in self.modules():
            if isinstance(module, BatchNorm):
                for _, statistics in module.stat_tensors():
                    statistics.mul_(STATS_SCALE)

    def dropouts(self) -> dict[str, Callable[[float], None]]:
        """By the names of components."""
        modules = self.network.modules_by_name()
        return {n: m.set_dropout_proportion for n, m in modules.items() if isinstance(m, RandomProportion)}

    def parameters_of_layers(self) -> dict[str, dict[nn.Parameter, float]]:
        """By the names of components, with their own factors (learning-rate-factor)."""
        found = {}
        for name, module in self.network.modules_by_name().items():
            parts = module.parts if isinstance(module, Composite) else [module]
            own = {
                parameter: getattr(part.component, "learning_rate_factor", 1.0)
                for part in parts
                for parameter in part.parameters()
            }
            if own:
                found[name] = own
        return found

    def write_mdl(self, wxfilename: str, transition_model: TransitionModel, priors: np.ndarray | None = None) -> None:
        """A file that Kaldi loads."""
        if transition_model.num_pdfs != self.num_pdfs:
            raise KaldiError(
                f"the network has {self.num_pdfs} outputs, but the transition model {transition_model.num_pdfs} pdfs"
            )
        write_model(wxfilename, AmNnet(transition_model, self.network.to_nnet(), priors))


@contextmanager
def _training_as_in_test_mode(network: Network) -> Iterator[None]:
    """Training mode, but components that compute something else in it, batch norm and dropout, are in test mode."""
    modes = [(module, module.training) for module in network.modules()]
    tests = [(module, module.test_mode) for module, _ in modes if isinstance(module, BatchNorm | Random)]
    try:
        for module, _ in modes:
            module.training = True  # train() would renew statistics that gradients still need
        for module, _ in tests:
            module.test_mode = True
        yield
    finally:
        for module, mode in modes:
            module.training = mode
        for module, mode in tests:
            module.test_mode = mode


@MODELS.add("nnet3", Nnet3Options)
def make_nnet3(options: Nnet3Options, dimensions: Dimensions) -> Nnet3Model:
    """Raises KaldiError where the network has other dimensions than the data and targets."""
    if not options.network:
        raise KaldiError("model nnet3: --network=<xconfig, config or model> is required")
    try:
        nnet = read_network(options.network)
        if options.new_outputs:
            nnet = with_new_outputs(nnet, dimensions.num_pdfs, ("output", XENT_OUTPUT))
        model = Nnet3Model(nnet, dimensions.frame_subsampling_factor, dimensions.xent)
    except KaldiError as error:
        raise KaldiError(f"{options.network}: {error}") from None
    for what, has, wanted in (
        ("features of dimension", model.feature_dim, dimensions.feature_dim),
        ("i-vectors of dimension", model.ivector_dim, dimensions.ivector_dim),
        ("targets: pdfs numbering", model.num_pdfs, dimensions.num_pdfs),
    ):
        if has != wanted:
            raise KaldiError(f"{options.network} is for {what} {has}, but the data have {wanted}")
    return model


def read_network(rxfilename: str) -> Nnet:
    """An existing network, or a new one with random parameters, which torch's seed fixes."""
    with open_input(rxfilename) as stream:
        stream.skip_space()
        head = stream.peek(16)
    if head.startswith((b"\0B", b"<Nnet3>", b"<Transition")):
        return read_nnet(rxfilename)
    set_seed(int(torch.randint(2**31, ())))
    lines = read_lines(rxfilename)
    first = [word for word, _ in map(key_and_rest, lines) if word and not word.startswith("#")]
    if first and first[0] in CONFIG_LINES:
        return Nnet.from_config(lines)
    return nnet_of_xconfig(lines)

"""Networks and users' own modules made into model files.

    export_network(network, frame_subsampling_factor=3, transition_model=..., priors=...).save("final.mdl")
    wrap(module, input_dim=40, output_dim=72, left_context=14, right_context=14, ...).save("final.mdl")

TorchScript is what C++ programs and older torch versions run; ``kind="pt2"`` makes a ``torch.export`` program instead.
"""

from __future__ import annotations

import inspect
import warnings
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch
from torch import nn

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.hmm.transition_model import read_transition_model
from nnet3_compat.export.any_length import AnyLength
from nnet3_compat.export.archive import Archive, FeaturesAndIvector, FeaturesOnly, NetworkCore
from nnet3_compat.export.compiled import Compiled, compile_program
from nnet3_compat.export.description import Description
from nnet3_compat.export.nnet3_parts import parts_of
from nnet3_compat.export.program import Program, export_module
from nnet3_compat.export.torch_model import TorchModel
from nnet3_compat.modules.normalize import BatchNorm
from nnet3_compat.network.network import Network
from nnet3_compat.structure.invariance import chunk_invariant

if TYPE_CHECKING:
    from kaldi_bridge.hmm.transition_model import TransitionModel

Kind = Literal["torchscript", "pt2", "aot"]
"""What archives hold: TorchScript, a torch.export program, or that program compiled for this machine's processor."""


def describe(
    network: Network,
    frame_subsampling_factor: int = 1,
    extra_left_context: int = 0,
    extra_right_context: int = 0,
    priors: np.ndarray | None = None,
    num_outputs: int = 0,
) -> Description:
    """The description of a network; contexts include the extra ones."""
    left, right = network.left_context + extra_left_context, network.right_context + extra_right_context
    return Description(
        input_dim=network.input_dim,
        ivector_dim=network.ivector_dim,
        output_dim=network.output_dim,
        left_context=left,
        right_context=right,
        frame_subsampling_factor=frame_subsampling_factor,
        modulus=network.modulus,
        chunk_invariant=chunk_invariant(network.graph(), frame_subsampling_factor, left, right, 1),
        priors=[] if priors is None else [float(p) for p in priors],
        num_outputs=num_outputs,
    )


def check_exportable(network: Network) -> None:
    """Raises KaldiError where a batch normalization has seen no data, so that test mode is undefined."""
    for name, module in network.named_modules():
        if isinstance(module, BatchNorm) and not float(module.count) > 0:
            raise KaldiError(
                f"{name.removeprefix('components.')}: batch normalization without statistics; train the network first"
            )


def export_network(
    network: Network,
    *,
    frame_subsampling_factor: int = 1,
    extra_left_context: int = 0,
    extra_right_context: int = 0,
    transition_model: TransitionModel | str | None = None,
    priors: np.ndarray | None = None,
    kind: Kind = "torchscript",
) -> TorchModel:
    """A network as a self-describing archive, in test mode, for any number of frames and sequences.

    Args:
        frame_subsampling_factor: only every so manieth output frame is computed.
        extra_left_context, extra_right_context: frames added to the contexts of a network that has a memory.
        transition_model: Kaldi's, or the name of a ``.mdl`` to read it from.
        priors: [output_dim], for those who divide by them.
        kind: of the archive.
    """
    check_exportable(network)
    description = describe(network, frame_subsampling_factor, extra_left_context, extra_right_context, priors)
    mode = network.training
    network.eval()
    try:
        module: Any
        if kind != "torchscript":
            module = _exported(AnyLength(network, description), description, kind)
        else:
            module = script(Archive(NetworkCore(network, description.request(1)), description))
    finally:
        network.train(mode)
    parts = None if kind == "aot" else parts_of(network)  # a library does not give its parameters
    return TorchModel(module, description, transition_model_of(transition_model, description), parts)


def _exported(module: nn.Module, description: Description, kind: Kind) -> Program | Compiled:
    program = export_module(module, description)
    return compile_program(program) if kind == "aot" else program


def wrap(
    module: nn.Module,
    *,
    input_dim: int,
    output_dim: int,
    ivector_dim: int = 0,
    left_context: int = 0,
    right_context: int = 0,
    frame_subsampling_factor: int = 1,
    modulus: int = 1,
    chunk_invariant: bool = False,
    transition_model: TransitionModel | str | None = None,
    priors: np.ndarray | None = None,
    kind: Kind = "torchscript",
) -> TorchModel:
    """A module of your own as a model that all commands take.

    Args:
        module: scripted, or one that ``torch.jit.script`` or, for a program, torch.export takes; it is put in eval
            mode. From features [N, T, D], and with ``ivector_dim`` from i-vectors [N, K] as second argument, it
            computes [N, T_out, P] with ``T_out = (T - 1 - left_context - right_context) // frame_subsampling_factor +
            1``: valid frames, no padding.
        chunk_invariant: say True where an output depends on nothing outside of its context, nor on the position in the
            chunk (true of convolutions without padding, false of recurrences): commands may then cut the utterance
            as is fastest.
        transition_model: Kaldi's, or the name of a ``.mdl`` to read it from; with it, ``save`` writes a ``.mdl``.
        priors: [output_dim], for those who divide by them.
        kind: of the archive; a program has to take any numbers of sequences and frames.

    Raises:
        KaldiError: it cannot be scripted or exported, or a trial run gives another shape than it says.
    """
    description = Description(
        input_dim=input_dim,
        output_dim=output_dim,
        ivector_dim=ivector_dim,
        left_context=left_context,
        right_context=right_context,
        frame_subsampling_factor=frame_subsampling_factor,
        modulus=modulus,
        chunk_invariant=chunk_invariant,
        priors=[] if priors is None else [float(p) for p in priors],
    )
    module.eval()
    made: Any
    if kind != "torchscript":
        made = _exported(module, description, kind)
    else:
        made = script(Archive(FeaturesAndIvector(module) if ivector_dim else FeaturesOnly(module), description))
    model = TorchModel(made, description, transition_model_of(transition_model, description))
    _try(model)
    return model


def _try(model: TorchModel) -> None:
    """One run with three output frames for two sequences."""
    d = model.description
    features = torch.zeros(2, d.frames_in(3), d.input_dim, device=model.device)
    ivector = torch.zeros(2, d.ivector_dim, device=model.device) if d.ivector_dim else None
    with torch.no_grad():
        shape = tuple(model(features, ivector).shape)
    if shape != (2, 3, d.output_dim):
        raise KaldiError(
            f"the module gives {list(shape)} for features {list(features.shape)}; [2, 3, {d.output_dim}] would fit "
            f"left_context={d.left_context}, right_context={d.right_context}, output_dim={d.output_dim}, "
            f"frame_subsampling_factor={d.frame_subsampling_factor}"
        )


def script(module: nn.Module) -> torch.jit.ScriptModule:
    """``torch.jit.script`` in eval mode; raises KaldiError with its reason."""
    module.eval()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return torch.jit.script(module)
    except Exception as error:  # several kinds, all about the user's code
        where = "the module cannot be scripted by torch.jit.script: "
        raise KaldiError(where + inspect.cleandoc(str(error))) from error


def transition_model_of(source: TransitionModel | str | None, description: Description) -> TransitionModel | None:
    """From a model file, if it is a name. Raises KaldiError where that is of another tree than the network."""
    if not isinstance(source, str):
        return source
    found = read_transition_model(source)
    description.check_pdfs(found.num_pdfs, source)
    return found

"""From a model file to a file of another format: what nnet-pytorch-export does."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import PurePath

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.hmm.transition_model import TransitionModel, read_transition_model
from kaldi_bridge.io.streams import open_input, open_output
from nnet3_compat.export.description import Description
from nnet3_compat.export.nnet3_parts import parts_of
from nnet3_compat.export.onnx import export_onnx, streaming_to_onnx
from nnet3_compat.export.streaming import export_streaming
from nnet3_compat.export.tensor_files import load_tensors
from nnet3_compat.export.torch_model import TorchModel
from nnet3_compat.export.torchscript import Kind, describe, export_network
from nnet3_compat.model.am_nnet import AmNnet
from nnet3_compat.model.int8 import write_int8_model
from nnet3_compat.model.model_file import Archive, read_any, write_archive, write_model
from nnet3_compat.network.network import Network

FORMATS = ("torchscript", "pt2", "aot", "mdl", "onnx", "nnet3", "int8")
OF_KALDI = ("nnet3", "int8")
"""Formats that hold the network as Kaldi's files do."""
KINDS: dict[str, Kind] = {"pt2": "pt2", "aot": "aot"}
"""Kinds of archives by format."""
ENDINGS = {".onnx": "onnx", ".pt2": "pt2", ".mdl": "mdl"}
"""Formats by what names of files end with; all others are TorchScript."""


def export_model(
    model_in: str,
    model_out: str,
    format: str,
    *,
    frame_subsampling_factor: int = 1,
    extra_left_context: int = 0,
    extra_right_context: int = 0,
    frames_per_chunk: int = 0,
    transition_model: str = "",
    state: str = "",
    binary: bool = True,
    streaming: bool = False,
) -> None:
    """See the command's help.

    Args:
        format: one of FORMATS; "": as the name of ``model_out`` ends.

    Raises:
        KaldiError: an unknown format, options that do not go together, or a model that cannot be exported so.
    """
    format = format or format_of(model_out)
    if format not in FORMATS:
        raise KaldiError(f"--format={format}: it must be one of {', '.join(FORMATS)}")
    if frame_subsampling_factor < 1:
        raise KaldiError("--frame-subsampling-factor must be at least 1")
    if min(extra_left_context, extra_right_context, frames_per_chunk) < 0:
        raise KaldiError("contexts and --frames-per-chunk must not be negative")
    if streaming and (format not in ("pt2", "onnx") or not frames_per_chunk or extra_right_context):
        raise KaldiError("--streaming goes with --format=pt2 or onnx, takes --frames-per-chunk and no right context")
    if frames_per_chunk and format != "onnx" and not streaming:
        raise KaldiError("--frames-per-chunk goes with --format=onnx and --streaming only: else any number will do")
    if frames_per_chunk % frame_subsampling_factor and not streaming:
        raise KaldiError("--frames-per-chunk must be a multiple of --frame-subsampling-factor")
    if format in OF_KALDI and (frame_subsampling_factor > 1 or extra_left_context or extra_right_context):
        raise KaldiError(f"--frame-subsampling-factor and extra contexts do not go with --format={format}")
    if format == "int8" and not binary:
        raise KaldiError("--format=int8 is written in binary mode only")

    found = read_network(model_in)
    network, priors = found.network, found.priors
    transitions = read_transition_model(transition_model) if transition_model else found.transition_model
    if transition_model and transitions is not None:
        describe(network).check_pdfs(transitions.num_pdfs, transition_model)
    if found.description is not None and format not in OF_KALDI and frame_subsampling_factor == 1:
        frame_subsampling_factor = found.description.frame_subsampling_factor
        extra_left_context = extra_left_context or found.description.left_context - network.left_context
        extra_right_context = extra_right_context or found.description.right_context - network.right_context
    if state:
        load_state(network, state)

    if format in OF_KALDI:
        nnet = network.to_nnet()
        exported = nnet if transitions is None else AmNnet(transitions, nnet, priors)
        if format == "nnet3":
            write_model(model_out, exported, binary)
        else:
            write_int8_model(model_out, exported)
    elif streaming:
        made = export_streaming(network, frames_per_chunk, frame_subsampling_factor, extra_left_context, priors)
        if format == "onnx":
            with open_output(model_out) as stream:
                stream.write(streaming_to_onnx(made, transitions))
        else:
            model = TorchModel(made, made.description, transitions, parts_of(network))
            write_archive(model_out, Archive(model.archive()))
    elif format == "onnx":
        data = export_onnx(
            network,
            frame_subsampling_factor=frame_subsampling_factor,
            extra_left_context=extra_left_context,
            extra_right_context=extra_right_context,
            priors=priors,
            num_outputs=frames_per_chunk // frame_subsampling_factor,
            transition_model=transitions,
        )
        with open_output(model_out) as stream:
            stream.write(data)
    else:
        archive = export_network(
            network,
            frame_subsampling_factor=frame_subsampling_factor,
            extra_left_context=extra_left_context,
            extra_right_context=extra_right_context,
            transition_model=transitions,
            priors=priors,
            kind=KINDS.get(format, "torchscript"),
        )
        if format != "mdl":
            write_archive(model_out, Archive(archive.archive()))
        elif transitions is None:
            raise KaldiError(f"--format=mdl: {model_in} has no transition model; give --transition-model=<mdl>")
        else:
            write_archive(model_out, Archive(archive.archive(with_transition_model=False), transitions))
    log.info(f"Wrote {model_in} as {format} to {model_out}")


def format_of(wxfilename: str) -> str:
    """What is written to a file of this name, where nothing else is said."""
    return ENDINGS.get(PurePath(wxfilename).suffix, "torchscript")


@dataclass
class FoundNetwork:
    """An nnet3 network and what came with it; ``description``: of the archive that it came from, if it did."""

    network: Network
    transition_model: TransitionModel | None = None
    priors: np.ndarray | None = None
    description: Description | None = None


def read_network(rxfilename: str) -> FoundNetwork:
    """The nnet3 network of a model of any kind. Raises KaldiError where there is none in it."""
    model = read_any(rxfilename)
    if isinstance(model, Archive):
        archive = TorchModel.from_archive(model, rxfilename)
        network = archive.network(rxfilename)
        return FoundNetwork(network, archive.transition_model, archive.priors, archive.description)
    if isinstance(model, AmNnet):
        priors = model.priors if model.priors.size else None
        return FoundNetwork(Network.from_nnet(model.nnet), model.transition_model, priors)
    return FoundNetwork(Network.from_nnet(model))


def load_state(network: Network, rxfilename: str) -> None:
    """Parameters and statistics from a state dict that ``torch.save`` wrote; nothing in it is executed."""
    with open_input(rxfilename) as stream:
        parts = []
        while part := stream.read_up_to(1 << 20):
            parts.append(part)
    found = load_tensors(io.BytesIO(b"".join(parts)), rxfilename)
    try:
        network.load_state_dict(found)
    except (RuntimeError, TypeError, AttributeError, ValueError, KeyError) as error:
        raise KaldiError(f"{rxfilename}: not a state dict of this network ({error})") from error

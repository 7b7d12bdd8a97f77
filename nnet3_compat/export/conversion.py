"""From a Kaldi model file to a file of another format: what nnet-pytorch-export does."""

from __future__ import annotations

import io

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.hmm.transition_model import TransitionModel, read_transition_model
from kaldi_bridge.io.streams import open_input, open_output
from nnet3_compat.export.onnx import export_onnx
from nnet3_compat.export.tensor_files import load_tensors
from nnet3_compat.export.torchscript import export_network
from nnet3_compat.model.am_nnet import AmNnet
from nnet3_compat.model.int8 import write_int8_model
from nnet3_compat.model.model_file import Archive, read_any, write_archive, write_model
from nnet3_compat.network.network import Network

FORMATS = ("torchscript", "mdl", "onnx", "nnet3", "int8")
OF_KALDI = ("nnet3", "int8")
"""Formats that hold the network as Kaldi's files do."""


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
) -> None:
    """See the command's help.

    Raises:
        KaldiError: an unknown format, options that do not go together, or a model that cannot be exported so.
    """
    if format not in FORMATS:
        raise KaldiError(f"--format={format}: it must be one of {', '.join(FORMATS)}")
    if frame_subsampling_factor < 1:
        raise KaldiError("--frame-subsampling-factor must be at least 1")
    if min(extra_left_context, extra_right_context, frames_per_chunk) < 0:
        raise KaldiError("contexts and --frames-per-chunk must not be negative")
    if frames_per_chunk and format != "onnx":
        raise KaldiError("--frames-per-chunk goes with --format=onnx only: other formats take any number of frames")
    if frames_per_chunk % frame_subsampling_factor:
        raise KaldiError("--frames-per-chunk must be a multiple of --frame-subsampling-factor")
    if format in OF_KALDI and (frame_subsampling_factor > 1 or extra_left_context or extra_right_context):
        raise KaldiError(f"--frame-subsampling-factor and extra contexts do not go with --format={format}")
    if format == "int8" and not binary:
        raise KaldiError("--format=int8 is written in binary mode only")
    if transition_model and format == "onnx":
        raise KaldiError("--transition-model does not go with --format=onnx, which has no place for one")

    model = read_any(model_in)
    if isinstance(model, Archive):
        raise KaldiError(f"{model_in} is a TorchScript model already: this needs a Kaldi model, raw or .mdl")
    transitions: TransitionModel | None = None
    priors: np.ndarray | None = None
    if isinstance(model, AmNnet):
        transitions = model.transition_model
        priors = model.priors if model.priors.size else None
    if transition_model:
        transitions = read_transition_model(transition_model)
    network = Network.from_nnet(model.nnet if isinstance(model, AmNnet) else model)
    if state:
        load_state(network, state)

    if format in OF_KALDI:
        nnet = network.to_nnet()
        exported = nnet if transitions is None else AmNnet(transitions, nnet, priors)
        if format == "nnet3":
            write_model(model_out, exported, binary)
        else:
            write_int8_model(model_out, exported)
    elif format == "onnx":
        data = export_onnx(
            network,
            frame_subsampling_factor=frame_subsampling_factor,
            extra_left_context=extra_left_context,
            extra_right_context=extra_right_context,
            priors=priors,
            num_outputs=frames_per_chunk // frame_subsampling_factor,
        )
        with open_output(model_out) as stream:
            stream.write(data)
    else:
        made = export_network(
            network,
            frame_subsampling_factor=frame_subsampling_factor,
            extra_left_context=extra_left_context,
            extra_right_context=extra_right_context,
            transition_model=transitions,
            priors=priors,
        )
        if format == "torchscript":
            write_archive(model_out, Archive(made.archive()))
        elif transitions is None:
            raise KaldiError(f"--format=mdl: {model_in} has no transition model; give --transition-model=<mdl>")
        else:
            write_archive(model_out, Archive(made.archive(with_transition_model=False), transitions))
    log.info(f"Wrote {model_in} as {format} to {model_out}")


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

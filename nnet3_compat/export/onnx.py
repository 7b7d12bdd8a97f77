"""Networks as ONNX files.

    data = export_onnx(network, frame_subsampling_factor=3)                          # any N and T
    data = export_onnx(network, frame_subsampling_factor=3, num_outputs=50)          # any N, fixed T

The graph's inputs are ``features`` [N, T, D] and, where the network takes one, ``ivector`` [N, K]; its output is
``output`` [N, T_out, P], valid frames only. The metadata hold the same description as a TorchScript archive
(``nnet_pytorch.json``), its plain numbers one by one, and the transition model as base64.

The graph is made of the same program as a .pt2 (any_length.py), so N and T are free for every network; a recurrence is
one Scan. Exporting needs the packages onnx and onnxscript, running onnxruntime.
"""

from __future__ import annotations

import json
import logging
import warnings
from typing import Any

import numpy as np
import torch

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.hmm.transition_model import TransitionModel, inside_archive
from kaldi_bridge.io.archive_extras import DESCRIPTION, TRANSITION_MODEL, to_text
from nnet3_compat.export.any_length import AnyLength
from nnet3_compat.export.description import Description
from nnet3_compat.export.onnx_branches import choose_by_chunk
from nnet3_compat.export.program import export_module
from nnet3_compat.export.streaming import Streaming
from nnet3_compat.export.tensor_files import reason_of
from nnet3_compat.export.torchscript import check_exportable, describe
from nnet3_compat.network.network import Network

OPSET = 21


def export_onnx(
    network: Network,
    *,
    frame_subsampling_factor: int = 1,
    extra_left_context: int = 0,
    extra_right_context: int = 0,
    priors: np.ndarray | None = None,
    num_outputs: int = 0,
    transition_model: TransitionModel | None = None,
) -> bytes:
    """An ONNX file, as bytes.

    Args:
        num_outputs: output frames of every call; 0: any number.

    Raises:
        KaldiError: the network cannot be exported for any number of frames, or a package is missing.
    """
    check_exportable(network)
    description = describe(
        network, frame_subsampling_factor, extra_left_context, extra_right_context, priors, num_outputs
    )
    mode = network.training
    network.eval()
    try:
        program = export_module(AnyLength(network, description), description)
    finally:
        network.train(mode)
    names = ["features", "ivector"] if description.ivector_dim else ["features"]
    model = to_onnx(program.exported, names, ["output"])
    _name_sizes(model)
    _describe(model, description, transition_model)
    return model.SerializeToString()


def streaming_to_onnx(streaming: Streaming, transition_model: TransitionModel | None = None) -> bytes:
    """One graph for all chunks of an utterance.

    Beside ``features`` and ``ivector`` it takes ``chunk``, the number of the chunk in its utterance, from 0 on, and
    what the one before has left, ``state0``, ``state1``, ...; it gives ``output`` and ``next_state0``, ... Where chunk
    is 0 the states are not looked at: [N, 0, dim] will do.

    Raises:
        KaldiError: as for to_onnx.
    """
    d = streaming.description
    names = ["features", "ivector"] if d.ivector_dim else ["features"]
    states = [f"state{s}" for s in range(len(d.states[-1]))]
    outputs = ["output", *(f"next_{state}" for state in states)]
    models = [to_onnx(each, [*names, *(states if k else [])], outputs) for k, each in enumerate(streaming.exported)]
    model = choose_by_chunk(models, [dim for _, dim in d.states[-1]])
    _describe(model, d, transition_model)
    return model.SerializeToString()


def _describe(model: Any, description: Description, transition_model: TransitionModel | None) -> None:
    """Tells in the metadata what the model is."""
    numbers = {k: v for k, v in json.loads(description.to_json()).items() if isinstance(v, (int, str))}
    texts = {**numbers, DESCRIPTION: description.to_json()}
    if transition_model is not None:
        description.check_pdfs(transition_model.num_pdfs)
        texts[TRANSITION_MODEL] = to_text(inside_archive(transition_model))
    for key, value in texts.items():
        item = model.metadata_props.add()
        item.key, item.value = key, str(value)


def to_onnx(exported: Any, inputs: list[str], outputs: list[str]) -> Any:
    """An onnx.ModelProto of an exported program. Raises KaldiError where it cannot be, or a package is missing."""
    try:
        import onnx  # noqa: F401
        import onnxscript  # noqa: F401
    except ImportError as error:
        raise KaldiError(f"ONNX files need the package {error.name}: pip install nnet-pytorch[onnx]") from error
    log = logging.getLogger("torch.onnx")
    level = log.level
    log.setLevel(logging.ERROR)  # that torchvision is not installed
    try:
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")
            made = torch.onnx.export(
                exported,
                dynamo=True,
                opset_version=OPSET,
                input_names=inputs,
                output_names=outputs,
                verbose=False,
            )
    except Exception as error:  # of several kinds, about the program
        raise KaldiError(f"torch cannot make this network an ONNX file: {reason_of(error)}") from error
    finally:
        log.setLevel(level)
    assert made is not None
    model: Any = made.model_proto
    model.producer_name = "nnet-pytorch"
    return model


def _name_sizes(model: Any) -> None:
    """N, T and T_out, where torch has made up names."""
    graph = model.graph
    names = {}
    for value, meant in ((graph.input[0], ("N", "T")), (graph.output[0], ("N", "T_out"))):
        for dim, name in zip(value.type.tensor_type.shape.dim, meant, strict=False):
            if dim.dim_param:
                names[dim.dim_param] = name
    for value in (*graph.input, *graph.output, *graph.value_info):
        for dim in value.type.tensor_type.shape.dim:
            if dim.dim_param in names:
                dim.dim_param = names[dim.dim_param]

"""Archives as bytes: TorchScript's, torch.export's and ONNX files, with a description and perhaps a transition model.

How they lie in files, alone or behind a transition model, is in model_file.py.
"""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass
from typing import Any

import torch

from kaldi_bridge.errors import KaldiError, within
from kaldi_bridge.hmm.transition_model import TransitionModel, inside_archive, transition_model_in
from kaldi_bridge.io.archive_extras import DESCRIPTION, NNET3, PROGRAM, TRANSITION_MODEL, read_extras, to_text
from kaldi_bridge.io.onnx_metadata import is_onnx
from kaldi_bridge.io.streams import open_input
from kaldi_bridge.io.zip_archives import check_zip
from nnet3_compat.export.compiled import LIBRARY, Compiled, load_compiled
from nnet3_compat.export.description import Description
from nnet3_compat.export.onnx_runtime import OnnxGraph, OnnxStreaming
from nnet3_compat.export.program import Program, load_program
from nnet3_compat.export.streaming import Streaming, load_streaming
from nnet3_compat.export.tensor_files import reason_of


@dataclass
class Contents:
    """What lies in an archive.

    Attributes:
        module: scripted, a Program, Compiled, Streaming, an OnnxGraph or OnnxStreaming.
        nnet3: of the network that it was made of, see nnet3_parts.py; None: it was made of none.
    """

    module: Any
    description: Description
    transition_model: TransitionModel | None = None
    nnet3: bytes | None = None


def archive_to_bytes(contents: Contents) -> bytes:
    """The zip archive; all but the module are extra files in it."""
    extra: dict[str, bytes] = {}
    if contents.transition_model is not None:
        extra[TRANSITION_MODEL] = inside_archive(contents.transition_model)
    if contents.nnet3 is not None:
        extra[NNET3] = contents.nnet3
    text = contents.description.to_json()
    if isinstance(contents.module, (Program, Compiled, Streaming)):
        return contents.module.archive({DESCRIPTION: text, **{key: to_text(data) for key, data in extra.items()}})
    out = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.jit.save(contents.module, out, _extra_files={DESCRIPTION: text, **extra})
    return out.getvalue()


def archive_from_bytes(data: bytes, name: str) -> Contents:
    """What lies in an archive of ours.

    Raises:
        KaldiError: broken, or an archive without a description.
    """
    extra = read_extras(data, name)
    members = set() if is_onnx(data) else {member.partition("/")[2] for member in check_zip(io.BytesIO(data), name)}
    if DESCRIPTION not in extra:
        kind = "a torch.export archive" if PROGRAM in members else "a TorchScript archive"
        kind = "an ONNX file" if is_onnx(data) else kind
        raise KaldiError(
            f"{name}: {kind} that does not say what it takes and gives; "
            "make it with nnet-pytorch-export or nnet3_compat.export.wrap()"
        )
    with within(name):
        description = Description.from_json(extra[DESCRIPTION])
    module = _module(data, members, description, name)
    return Contents(module, description, transition_model_in(data, name), extra.get(NNET3))


def _module(data: bytes, members: set[str], description: Description, name: str) -> Any:
    """What computes; ``members``: of the zip archive, none of an ONNX file."""
    if is_onnx(data):
        return (OnnxStreaming if description.chunk_frames else OnnxGraph)(data, description, name)
    if any(member.startswith(LIBRARY) for member in members):
        return load_compiled(data, description, name)
    if PROGRAM in members:
        return (load_streaming if description.chunk_frames else load_program)(data, description, name)
    return _loaded(data, name)


def scripted_module(rxfilename: str, device: torch.device | str = "cpu") -> Any:
    """A TorchScript module of somebody's own, with or without a description, ready to compute on the device.

    Raises:
        KaldiError: it is none, or broken.
    """
    with open_input(rxfilename) as stream:
        data = stream.read_all()
    check_zip(io.BytesIO(data), rxfilename)
    return _loaded(data, rxfilename).to(device)


def _loaded(data: bytes, name: str) -> Any:
    """The module of a TorchScript archive that was checked."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            module = torch.jit.load(io.BytesIO(data), map_location="cpu")
    except Exception as error:  # torch raises many kinds for a damaged archive
        raise KaldiError(f"{name}: TorchScript cannot load this archive ({reason_of(error)})") from error
    return module.eval()

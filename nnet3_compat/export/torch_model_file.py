"""Archives as bytes: TorchScript's or torch.export's, with a description and perhaps a transition model.

How they lie in files, alone or behind a transition model, is in model_file.py.
"""

from __future__ import annotations

import base64
import io
import warnings
from dataclasses import dataclass
from typing import Any

import torch

from kaldi_bridge.errors import KaldiError, within
from kaldi_bridge.hmm.transition_model import TransitionModel
from kaldi_bridge.io import basic_io
from kaldi_bridge.io.output_stream import Pieces
from kaldi_bridge.io.streams import InputStream, open_input
from nnet3_compat.export.compiled import LIBRARY, Compiled, load_compiled
from nnet3_compat.export.description import Description
from nnet3_compat.export.program import Program, load_program
from nnet3_compat.export.tensor_files import reason_of
from nnet3_compat.export.zip_archives import check_zip, read_members

DESCRIPTION = "nnet_pytorch.json"
TRANSITION_MODEL = "transition_model"
NNET3 = "nnet3"
PROGRAM = "archive_format"
"""A member that torch.export's archives have, and TorchScript's have not."""


@dataclass
class Contents:
    """What lies in an archive.

    Attributes:
        module: scripted, a Program, or Compiled.
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
        pieces = Pieces("transition model")
        basic_io.write_header(pieces, True)
        contents.transition_model.write(pieces, True)
        extra[TRANSITION_MODEL] = pieces.data()
    if contents.nnet3 is not None:
        extra[NNET3] = contents.nnet3
    text = contents.description.to_json()
    if isinstance(contents.module, (Program, Compiled)):
        return contents.module.archive({DESCRIPTION: text, **{key: _to_text(data) for key, data in extra.items()}})
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
    members = check_zip(io.BytesIO(data), name)
    inner = {member.partition("/")[2] for member in members}
    is_program = PROGRAM in inner
    beside = {member.rsplit("/", 1)[-1]: member for member in members if "/extra/" in member}
    if DESCRIPTION not in beside:
        kind = "torch.export" if is_program else "TorchScript"
        raise KaldiError(
            f"{name}: a {kind} archive that does not say what it takes and gives; "
            "make it with nnet-pytorch-export or nnet3_compat.export.wrap()"
        )
    keys = [key for key in (DESCRIPTION, TRANSITION_MODEL, NNET3) if key in beside]
    extra = dict(zip(keys, read_members(data, [beside[key] for key in keys], name), strict=True))
    with within(name):
        description = Description.from_json(extra.pop(DESCRIPTION))
    if is_program:
        extra = {key: _from_text(text, f"{name}: {key}") for key, text in extra.items()}
    transition_model = None
    if TRANSITION_MODEL in extra:
        stream = InputStream.from_bytes(extra[TRANSITION_MODEL], f"{name}: transition model")
        transition_model = TransitionModel.read(stream, basic_io.read_header(stream))
    module: Any
    if any(member.startswith(LIBRARY) for member in inner):
        module = load_compiled(data, description, name)
    else:
        module = load_program(data, description, name) if is_program else _loaded(data, name)
    return Contents(module, description, transition_model, extra.get(NNET3))


def _to_text(data: bytes) -> str:
    """torch.export's archives hold text only."""
    return base64.b64encode(data).decode("ascii")


def _from_text(text: bytes, name: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError as error:
        raise KaldiError(f"{name}: not base64 ({error})") from error


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

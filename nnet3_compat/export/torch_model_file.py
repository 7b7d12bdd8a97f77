"""TorchScript archives as bytes: what torch.jit.save makes, with a description and perhaps a transition model.

How they lie in files, alone or behind a transition model, is in model_file.py.
"""

from __future__ import annotations

import io
import warnings
from typing import Any

import torch

from kaldi_bridge.errors import KaldiError, within
from kaldi_bridge.hmm.transition_model import TransitionModel
from kaldi_bridge.io import basic_io
from kaldi_bridge.io.output_stream import Pieces
from kaldi_bridge.io.streams import InputStream, open_input
from nnet3_compat.export.description import Description
from nnet3_compat.export.tensor_files import reason_of
from nnet3_compat.export.zip_archives import check_zip

DESCRIPTION = "nnet_pytorch.json"
TRANSITION_MODEL = "transition_model"


def archive_to_bytes(module: Any, description: Description, transition_model: TransitionModel | None = None) -> bytes:
    """The zip archive of a scripted module; the description and the transition model are extra files in it."""
    extra: dict[str, str | bytes] = {DESCRIPTION: description.to_json()}
    if transition_model is not None:
        pieces = Pieces("transition model")
        basic_io.write_header(pieces, True)
        transition_model.write(pieces, True)
        extra[TRANSITION_MODEL] = pieces.data()
    out = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.jit.save(module, out, _extra_files=extra)
    return out.getvalue()


def archive_from_bytes(data: bytes, name: str) -> tuple[Any, Description, TransitionModel | None]:
    """The module in a TorchScript archive of ours, and what lies beside it.

    Raises:
        KaldiError: broken, or an archive without a description.
    """
    members = {member.rsplit("/", 1)[-1] for member in check_zip(io.BytesIO(data), name) if "/extra/" in member}
    if DESCRIPTION not in members:
        raise KaldiError(
            f"{name}: a TorchScript archive that does not say what it takes and gives; "
            "make it with nnet-pytorch-export or nnet3_compat.export.wrap()"
        )
    extra: dict[str, str | bytes] = dict.fromkeys(members & {DESCRIPTION, TRANSITION_MODEL}, "")
    module = _loaded(data, name, extra)
    transition_model = None
    if TRANSITION_MODEL in extra:
        found_model = extra[TRANSITION_MODEL]
        assert isinstance(found_model, bytes)
        inner = InputStream.from_bytes(found_model, f"{name}: transition model")
        transition_model = TransitionModel.read(inner, basic_io.read_header(inner))
    with within(name):
        return module, Description.from_json(extra[DESCRIPTION]), transition_model


def scripted_module(rxfilename: str, device: torch.device | str = "cpu") -> Any:
    """A TorchScript module of somebody's own, with or without a description, ready to compute on the device.

    Raises:
        KaldiError: it is none, or broken.
    """
    with open_input(rxfilename) as stream:
        data = stream.read_all()
    check_zip(io.BytesIO(data), rxfilename)
    return _loaded(data, rxfilename, {}).to(device)


def _loaded(data: bytes, name: str, extra: dict[str, str | bytes]) -> Any:
    """The module of an archive that was checked; ``extra``: files beside it, to be filled in."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            module = torch.jit.load(io.BytesIO(data), map_location="cpu", _extra_files=extra)
    except Exception as error:  # torch raises many kinds for a damaged archive
        raise KaldiError(f"{name}: TorchScript cannot load this archive ({reason_of(error)})") from error
    return module.eval()

"""TorchScript archives as bytes: what torch.jit.save makes, with a description and perhaps a transition model.

How they lie in files, alone or behind a transition model, is in model_file.py.
"""

from __future__ import annotations

import io
import warnings
from typing import TYPE_CHECKING

import torch

from kaldi_bridge.errors import KaldiError, within
from kaldi_bridge.io import basic_io
from kaldi_bridge.io.output_stream import Pieces
from kaldi_bridge.io.streams import InputStream
from nnet3_compat.export.description import Description
from nnet3_compat.export.tensor_files import reason_of
from nnet3_compat.export.torch_model import TorchModel
from nnet3_compat.export.zip_archives import check_zip

if TYPE_CHECKING:
    from kaldi_bridge.hmm.transition_model import TransitionModel

DESCRIPTION = "nnet_pytorch.json"
TRANSITION_MODEL = "transition_model"


def archive_bytes(model: TorchModel, with_transition_model: bool = True) -> bytes:
    """The zip archive; the description and the transition model are extra files in it."""
    extra: dict[str, str | bytes] = {DESCRIPTION: model.description.to_json()}
    if with_transition_model and model.transition_model is not None:
        pieces = Pieces("transition model")
        basic_io.write_header(pieces, True)
        model.transition_model.write(pieces, True)
        extra[TRANSITION_MODEL] = pieces.data()
    out = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.jit.save(model.module, out, _extra_files=extra)
    return out.getvalue()


def load_archive(data: bytes, name: str, transition_model: TransitionModel | None = None) -> TorchModel:
    """The model in a TorchScript archive of ours.

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
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            module = torch.jit.load(io.BytesIO(data), map_location="cpu", _extra_files=extra)
    except Exception as error:  # torch raises many kinds for a damaged archive
        raise KaldiError(f"{name}: TorchScript cannot load this archive ({reason_of(error)})") from error
    if transition_model is None and TRANSITION_MODEL in extra:
        from kaldi_bridge.hmm.transition_model import TransitionModel

        found_model = extra[TRANSITION_MODEL]
        assert isinstance(found_model, bytes)
        inner = InputStream.from_bytes(found_model, f"{name}: transition model")
        transition_model = TransitionModel.read(inner, basic_io.read_header(inner))
    module.eval()
    with within(name):
        return TorchModel(module, Description.from_json(extra[DESCRIPTION]), transition_model)

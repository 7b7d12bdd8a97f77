"""What files of networks that are none of Kaldi's hold beside the network: archives of torch's, and ONNX files.

TorchScript's archives have it as files. Those of torch.export, and ONNX files, take text only: what is no text is
base64 there.
"""

from __future__ import annotations

import base64
import io

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.onnx_metadata import is_onnx, read_metadata
from kaldi_bridge.io.zip_archives import ZIP_MAGIC, check_zip, read_members

DESCRIPTION = "nnet_pytorch.json"
"""What the network takes and gives, as JSON."""
TRANSITION_MODEL = "transition_model"
NNET3 = "nnet3"
"""What is kept of the nnet3 network that it was made of."""
PROGRAM = "archive_format"
"""A member that torch.export's archives have, and TorchScript's have not."""


def is_archive(head: bytes) -> bool:
    """Whether a file that begins so is such a file, and no model of Kaldi's; four bytes will do."""
    return head.startswith(ZIP_MAGIC) or is_onnx(head)


def read_extras(data: bytes, name: str) -> dict[str, bytes]:
    """What there is of the above, by its name, of a file ``name``. Raises KaldiError for a broken file."""
    if is_onnx(data):
        found, text_only = read_metadata(data, name), True
    else:
        members = check_zip(io.BytesIO(data), name)
        beside = {member.rsplit("/", 1)[-1]: member for member in members if "/extra/" in member}
        keys = [key for key in (DESCRIPTION, TRANSITION_MODEL, NNET3) if key in beside]
        found = dict(zip(keys, read_members(data, [beside[key] for key in keys], name), strict=True))
        text_only = any(member.partition("/")[2] == PROGRAM for member in members)
    if text_only:
        for key in {TRANSITION_MODEL, NNET3} & found.keys():
            found[key] = _from_text(found[key], f"{name}: {key}")
    return found


def to_text(data: bytes) -> str:
    """As it lies in files that take text only."""
    return base64.b64encode(data).decode("ascii")


def _from_text(text: bytes, name: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError as error:
        raise KaldiError(f"{name}: not base64 ({error})") from error

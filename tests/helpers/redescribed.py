"""Exported models whose descriptions say something else."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

from kaldi_bridge.io.archive_extras import DESCRIPTION
from kaldi_bridge.io.onnx_metadata import is_onnx


def redescribed(data: bytes, **values: Any) -> bytes:
    """An ONNX file or a zip archive with other values in its description."""
    if is_onnx(data):
        import onnx

        model = onnx.load_from_string(data)
        for entry in model.metadata_props:
            if entry.key == DESCRIPTION:
                entry.value = json.dumps(json.loads(entry.value) | values)
        return bytes(model.SerializeToString())
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w") as new:
        for member in old.namelist():
            content = old.read(member)
            if member.endswith(DESCRIPTION):
                content = json.dumps(json.loads(content) | values).encode()
            new.writestr(member, content)
    return out.getvalue()

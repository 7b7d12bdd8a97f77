"""One line of an xconfig: a layer type, then key=value pairs; values with = in them stand in double quotes."""

from __future__ import annotations

import re

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.text import key_and_rest, strip, words

_ALLOWED = re.compile(r"[^a-zA-Z0-9.\-()@_=,/+:\s\"\[\]]", re.ASCII)
_LAYER_TYPE = re.compile(r"[a-z][-a-z0-9]+\Z")
_KEY = re.compile(r"\s*([-a-zA-Z0-9_]*)=", re.ASCII)


def parse_line(text: str) -> tuple[str, dict[str, str]] | None:
    """(layer type, values); None for a line without content. Raises KaldiError."""
    line = text.split("#")[0]
    bad = _ALLOWED.search(line)
    if bad:
        hint = " (use double quotes for values with = in them)" if bad[0] == "'" else ""
        raise KaldiError(f"xconfig line has the character {bad[0]!r}, which is not allowed{hint}")
    layer_type, rest = key_and_rest(line)
    if not layer_type:
        return None
    if not _LAYER_TYPE.match(layer_type):
        raise KaldiError(f"xconfig line starts with {layer_type!r}, which cannot be a layer type")
    rest = _hide_quoted(" ".join(words(rest)))
    pieces = _KEY.split(rest)
    if pieces[0] != "" or len(pieces) % 2 != 1:
        raise KaldiError(f"xconfig line is not made of key=value pairs after its layer type: {strip(text)}")
    values: dict[str, str] = {}
    for key, value in zip(pieces[1::2], pieces[2::2], strict=True):
        if not re.match("[a-zA-Z_]", key):
            raise KaldiError(f"xconfig line has a value without a name before its =: {strip(text)}")
        if key in values:
            raise KaldiError(f"xconfig line sets {key} twice: {strip(text)}")
        values[key] = strip(value.replace("?", "="))
    return layer_type, values


def _hide_quoted(rest: str) -> str:
    """Quotes become spaces, and = inside them ? (which no line can have) until the pairs are found."""
    parts = rest.split('"')
    if len(parts) % 2 == 0:
        raise KaldiError("double quotes must occur in pairs in an xconfig line")
    return "".join(p if i % 2 == 0 else " " + p.replace("=", "?") + " " for i, p in enumerate(parts))

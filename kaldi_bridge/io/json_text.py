"""JSON that comes from a file."""

from __future__ import annotations

import json
from typing import Any

from kaldi_bridge.errors import KaldiError


def parse_json(data: str | bytes, name: str) -> dict[str, Any]:
    """The object that the text is. Raises KaldiError with the reason, and ``name`` of the file, where it is none."""
    try:
        found = json.loads(data)
    except ValueError as error:
        raise KaldiError(f"{name}: not JSON ({error})") from error
    except RecursionError:
        raise KaldiError(f"{name}: this JSON has lists or objects within each other too many levels deep") from None
    if not isinstance(found, dict):
        raise KaldiError(f"{name}: JSON, but no object")
    return found

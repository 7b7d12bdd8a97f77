"""The log of a run for programs: a JSON object on each line of train.jsonl.

{"event": "update", "iteration": 3, "update": 120, "epoch": 0.41, "train": {"chain": ...}, ...}
{"event": "iteration", ..., "valid": {"chain": ...}, "skipped": 0, "frames_per_second": ..., "seconds": ...}
{"event": "final", "valid": ...}
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.json_text import parse_json
from kaldi_bridge.io.text import encode
from kaldi_bridge.io.text_files import read_text

NAME = "train.jsonl"


class Journal:
    """Appends events; a run that goes on from a checkpoint first forgets what came after that."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / NAME
        self._file = open(self.path, "ab")  # noqa: SIM115 (open as long as the run)

    def position(self) -> int:
        """Bytes so far."""
        return self._file.tell()

    def go_back(self, position: int) -> None:
        self._file.truncate(position)
        self._file.seek(0, 2)

    def write(self, event: str, **values: Any) -> None:
        """Numbers that JSON does not have become null. Raises KaldiError where the disk is full."""
        try:
            self._file.write(encode(json.dumps({"event": event, **_finite(values)})) + b"\n")
            self._file.flush()
        except OSError as error:
            raise KaldiError(f"Cannot write {self.path}: {error.strerror}") from error

    def close(self) -> None:
        self._file.close()


def read_journal(folder: Path) -> list[dict[str, Any]]:
    """All events; a last line that was cut off is left out. Raises KaldiError where there is no journal."""
    events = []
    for line in read_text(folder / NAME).split("\n"):
        try:
            events.append(parse_json(line, NAME))
        except KaldiError:
            continue
    return events


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(each) for key, each in value.items()}
    return None if isinstance(value, float) and not math.isfinite(value) else value

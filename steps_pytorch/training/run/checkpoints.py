"""What a run needs to go on after it was killed, and the models of its iterations.

In the run's directory, each written whole or not at all:

    checkpoint.<n>.pt           everything after iteration n; with several processes checkpoint.<n>.<rank>.pt beside it
    <n>.pt                      the model's state alone, for averages, warm starts and decoding

A checkpoint counts once ``checkpoint.<n>.pt`` is there, which the first process writes after all others have written
theirs. Only then are earlier ones removed, by each process those of its folder: on machines without a file system in
common, that is another one, of the same name.
"""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path
from typing import Any

import torch

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.streams import open_output
from nnet3_compat.export.tensor_files import load_tensors
from steps_pytorch.group import Group


class Checkpoints:
    """Those of one run; ``keep_models``: of how many last iterations <n>.pt stays."""

    def __init__(self, folder: Path, group: Group, keep_models: int) -> None:
        self._folder, self._group, self._keep = folder, group, keep_models
        if group.is_first:
            for left in folder.glob(".*.pt.*.tmp"):  # of a run that was killed while writing
                with contextlib.suppress(OSError):
                    left.unlink()

    def newest(self) -> int | None:
        """The last iteration that can be gone on from."""
        return max(self._numbers(r"checkpoint\.(\d+)\.pt"), default=None)

    def models(self) -> list[int]:
        """Iterations whose models are there."""
        return [number for number in self._numbers(r"(\d+)\.pt") if number]

    def load(self, iteration: int) -> dict[str, Any]:
        """This process's state. Raises KaldiError where it is missing or broken."""
        return load_state(self._checkpoint(iteration, self._group.rank))

    def load_model(self, iteration: int) -> dict[str, Any]:
        return load_state(self._model(iteration))

    def save(self, iteration: int, state: dict[str, Any]) -> None:
        """Raises KaldiError where it cannot be written (a full disk): the last checkpoint is then still there."""
        if not self._group.is_first:
            save_state(self._checkpoint(iteration, self._group.rank), state)
        self._group.wait()
        if self._group.is_first:
            save_state(self._model(iteration), state["model"])
            save_state(self._checkpoint(iteration, 0), state)
        self._group.wait()
        self._remove_old(iteration)

    def remove_all(self) -> None:
        """For a run that begins anew."""
        for number in self._numbers(r"checkpoint\.(\d+)(?:\.\d+)?\.pt"):
            self._remove(number)
        for number in self.models():
            self._model(number).unlink(missing_ok=True)

    def _remove(self, number: int) -> None:
        for path in self._folder.glob(f"checkpoint.{number}.*pt"):
            path.unlink(missing_ok=True)

    def _remove_old(self, iteration: int) -> None:
        for number in self._numbers(r"checkpoint\.(\d+)(?:\.\d+)?\.pt"):
            if number != iteration:
                self._remove(number)
        for number in self.models():
            if number <= iteration - self._keep:
                self._model(number).unlink(missing_ok=True)

    def _checkpoint(self, iteration: int, rank: int) -> Path:
        return self._folder / (f"checkpoint.{iteration}.{rank}.pt" if rank else f"checkpoint.{iteration}.pt")

    def _model(self, iteration: int) -> Path:
        return self._folder / f"{iteration}.pt"

    def _numbers(self, pattern: str) -> list[int]:
        found = (re.fullmatch(pattern, path.name) for path in self._folder.glob("*.pt"))
        return sorted({int(match[1]) for match in found if match})


def save_state(path: Path, state: dict[str, Any]) -> None:
    """Writes tensors and plain values, whole or not at all."""
    data = io.BytesIO()
    torch.save(state, data)
    with open_output(str(path)) as stream:
        stream.write(data.getbuffer())


def load_state(path: Path) -> dict[str, Any]:
    """Reads what ``save_state`` wrote; nothing in it is executed. Raises KaldiError where it is something else."""
    try:
        with open(path, "rb") as file:
            found = load_tensors(file, str(path))
    except FileNotFoundError:
        raise KaldiError(f"no such file {path}") from None
    except OSError as error:
        raise KaldiError(f"cannot read {path}: {error.strerror}") from None
    if not isinstance(found, dict):
        raise KaldiError(f"{path} holds no state of a model or a run")
    return found

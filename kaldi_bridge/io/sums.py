"""The sum of what jobs counted, each in a file of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any, Protocol, TypeVar

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io import basic_io
from kaldi_bridge.io.input_stream import InputStream
from kaldi_bridge.io.streams import open_input


class Statistics(Protocol):
    """What is summed."""

    def add(self, other: Any) -> None:
        """Raises KaldiError where the other's do not fit."""


S = TypeVar("S", bound=Statistics)


def sum_of_files(
    read: Callable[[InputStream, bool], S],
    rxfilenames: Sequence[str],
    total: S | None = None,
    all_at_once: bool = False,
) -> S:
    """The sum of the statistics in one or more files.

    Args:
        read: reads them from a stream, which is binary or not.
        total: what to add to; else the first file's.
        all_at_once: opens all files first, so that commands in pipes run side by side.

    Raises:
        KaldiError: naming the file that does not fit those before it.
    """
    with ExitStack() as stack:
        opened = [stack.enter_context(open_input(name)) for name in rxfilenames] if all_at_once else []
        for i, name in enumerate(rxfilenames):
            with opened[i] if opened else open_input(name) as stream:
                part = read(stream, basic_io.read_header(stream))
            if total is None:
                total = part
                continue
            try:
                total.add(part)
            except KaldiError as error:
                raise KaldiError(f"{name}: {error}") from None
    if total is None:
        raise KaldiError("no files of statistics to sum")
    return total

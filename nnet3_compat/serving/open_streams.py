"""The streams that are open: no more than allowed, and none cut off when the server ends."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

from kaldi_bridge import log
from kaldi_bridge.errors import KaldiError
from nnet3_compat.serving.options import LimitOptions
from nnet3_compat.serving.statistics import Statistics


class TooManyStreamsError(KaldiError):
    """No more streams are accepted now."""


class OpenStreams:
    """Belongs to the event loop in which it is made.

    Attributes:
        ending: whether the server was told to end.
    """

    def __init__(self, limits: LimitOptions, statistics: Statistics) -> None:
        self._limits, self._statistics = limits, statistics
        self._open = 0
        self._end = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, self._end.set)

    @property
    def ending(self) -> bool:
        return self._end.is_set()

    @contextmanager
    def one(self, client: str) -> Iterator[None]:
        """While a stream is open; its errors are counted and told. Raises TooManyStreamsError."""
        if self._open >= self._limits.max_streams:
            self._statistics.refused.inc()
            raise TooManyStreamsError(f"all of {self._limits.max_streams} streams are in use")
        self._open += 1
        self._statistics.streams.inc()
        self._statistics.begun.inc()
        try:
            yield
        except KaldiError as error:
            self._statistics.failed.inc()
            log.warning(f"The stream of {client} ends: {error}")
            raise
        finally:
            self._open -= 1
            self._statistics.streams.dec()

    async def wait_for_end(self) -> None:
        """Until SIGTERM or SIGINT."""
        await self._end.wait()
        log.info(f"Ending, with {self._open} streams open")

    async def drain(self) -> None:
        """Until the last stream has ended, or the time for that is over."""
        deadline = time.monotonic() + self._limits.shutdown_timeout
        while self._open and time.monotonic() < deadline:
            await asyncio.sleep(0.05)

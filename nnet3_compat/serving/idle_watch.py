"""Waiting for messages no longer than a stream may be idle."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

Message = TypeVar("Message")


class IdleError(Exception):
    """No message came in time."""


class IdleWatch:
    """Of the stream that the current task serves. One timer goes on from message to message: asyncio.wait_for, a new
    one and a task for each, would take a good part of what a message costs.

        with IdleWatch(seconds) as watch:
            message = await watch.next(connection.recv())
    """

    def __init__(self, seconds: float) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._task, self._loop, self._seconds = task, asyncio.get_running_loop(), seconds
        self._waits_since: float | None = None
        self._is_over = False

    def __enter__(self) -> IdleWatch:
        self._timer = self._loop.call_later(self._seconds, self._look)
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()

    async def next(self, message: Awaitable[Message]) -> Message:
        """The message. Raises IdleError where it does not come in time; then the watch is over."""
        self._waits_since = self._loop.time()
        try:
            return await message
        except asyncio.CancelledError:
            if not self._is_over:
                raise
            if hasattr(self._task, "uncancel"):  # since Python 3.11
                self._task.uncancel()
            raise IdleError from None
        finally:
            self._waits_since = None

    def _look(self) -> None:
        now = self._loop.time()
        left = self._seconds if self._waits_since is None else self._waits_since + self._seconds - now
        if left > 0:
            self._timer = self._loop.call_later(left, self._look)
            return
        self._is_over = True
        self._task.cancel()

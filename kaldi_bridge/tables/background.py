"""Reading a table a step ahead of who takes its entries: option bg (SequentialTableReaderBackgroundImpl)."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Background(Generic[T]):
    """The same entries, the next one being read by a thread meanwhile.

    The thread is a daemon: a program that an error or a signal ends does not wait for what it reads.
    """

    def __init__(self, entries: Generator[T, None, None]) -> None:
        from queue import SimpleQueue
        from threading import Thread

        self._entries = entries
        self._ended = False
        self._wanted: SimpleQueue[bool] = SimpleQueue()
        self._read: SimpleQueue[tuple[Any, BaseException | None]] = SimpleQueue()
        self._wanted.put(True)
        self._thread = Thread(target=self._work, daemon=True)
        self._thread.start()

    def _work(self) -> None:
        while self._wanted.get():
            try:
                self._read.put((next(self._entries), None))
            except BaseException as error:
                self._read.put((None, error))
                return

    def __iter__(self) -> Iterator[T]:
        return self

    def __next__(self) -> T:
        """The next entry. Raises what reading it raised, and after that StopIteration."""
        if self._ended:
            raise StopIteration
        entry: T
        entry, error = self._read.get()
        if error is not None:
            self._ended = True
            raise error
        self._wanted.put(True)
        return entry

    def close(self) -> None:
        """Waits for what is being read; whoever closes the stream below comes after."""
        self._ended = True
        self._wanted.put(False)
        self._thread.join()
        self._entries.close()

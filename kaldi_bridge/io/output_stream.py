"""A byte stream to write to. Files appear whole or not at all."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable
from types import TracebackType
from typing import IO, Any, NoReturn

from kaldi_bridge.errors import KaldiError


class OutputStream:
    """Bytes of one output. ``name`` is for messages.

    ``close`` makes the file appear and checks the command of a pipe; ``discard`` leaves no file behind.
    As a context manager it closes, or discards when an exception passes through.
    """

    def __init__(
        self,
        file: IO[bytes],
        name: str,
        *,
        wait: Callable[[], None] | None = None,
        commit: Callable[[], None] | None = None,
        abandon: Callable[[], None] | None = None,
    ) -> None:
        """Writes to ``file``. Once that is closed, ``wait`` checks the command that reads it, if there is one, and
        ``commit`` makes the output appear; after an error, ``abandon`` removes it instead."""
        self.name = name
        self._file: IO[bytes] | None = file
        self._wait = wait
        self._commit = commit
        self._abandon = abandon
        self._position = 0

    def write(self, data: Any) -> None:
        """Writes bytes or any contiguous buffer."""
        if self._file is None:
            raise KaldiError(f"{self.name} is closed")
        try:
            self._position += self._file.write(data)
        except OSError as error:
            self._fail(error)

    def tell(self) -> int:
        """Number of bytes written so far."""
        return self._position

    def flush(self) -> None:
        """Hands everything written so far to the operating system."""
        if self._file is not None:
            with self._reported():
                self._file.flush()

    def close(self) -> None:
        """Finishes the output; raises KaldiError when it could not be written whole."""
        self.finish()
        self.commit()

    def finish(self) -> None:
        """First half of ``close``: everything written and checked, nothing visible yet."""
        file, self._file = self._file, None
        if file is None:
            return
        try:
            with self._reported():
                file.close()
            self._check_command()
        except BaseException:
            with contextlib.suppress(OSError):
                file.close()
            self._drop()
            raise

    def _check_command(self) -> None:
        wait, self._wait = self._wait, None
        if wait is not None:
            wait()

    def commit(self) -> None:
        """Second half of ``close``: the file appears."""
        commit, self._commit = self._commit, None
        if commit is not None:
            try:
                with self._reported():
                    commit()
            except BaseException:
                self._drop()
                raise
        self._abandon = None

    def discard(self) -> None:
        """Ends the output after an error: a file that was being written does not appear."""
        file, self._file = self._file, None
        if file is not None:
            with contextlib.suppress(OSError):
                file.close()
        self._drop()

    def _drop(self) -> None:
        with contextlib.suppress(KaldiError):
            self._check_command()
        abandon, self._commit, self._abandon = self._abandon, None, None
        if abandon is not None:
            with contextlib.suppress(OSError):
                abandon()

    @contextlib.contextmanager
    def _reported(self) -> Any:
        try:
            yield
        except OSError as error:
            self._fail(error)

    def _fail(self, error: OSError) -> NoReturn:
        if isinstance(error, BrokenPipeError):
            if self._wait is None:
                raise error  # standard output or a fifo that nobody reads any more
            file, self._file = self._file, None
            if file is not None:
                with contextlib.suppress(OSError):
                    file.close()
            self._check_command()  # its status tells more
            raise KaldiError(f"{self.name} stopped reading before everything was written") from error
        raise KaldiError(f"Cannot write {self.name}: {error.strerror}") from error

    def __enter__(self) -> OutputStream:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.discard()


class Pieces(OutputStream):
    """Gathers an object of many small pieces, for a stream to get it whole."""

    def __init__(self, name: str) -> None:
        super().__init__(io.BytesIO(), name)
        self._pieces: list[Any] = []
        self.write = self._pieces.append  # type: ignore[assignment,method-assign]  # a method would cost more than what it does

    def tell(self) -> int:
        """Number of bytes so far."""
        return sum(memoryview(piece).nbytes for piece in self._pieces)

    def data(self) -> bytes:
        """All of it."""
        return b"".join(self._pieces)

"""A byte stream to read from: one large buffer over a file, a pipe or memory, which never trusts a length."""

from __future__ import annotations

import contextlib
import os
import re
import stat
from collections.abc import Callable
from types import TracebackType
from typing import Any

from kaldi_bridge.errors import KaldiError

BUFFER_SIZE = 1 << 18
# Beyond this many bytes, memory is taken only as the bytes arrive (or when the file is known to be that long).
TRUSTED_SIZE = 1 << 24
_SPACE = re.compile(rb"[ \t\n\r\f\v]*")
_WORD = re.compile(rb"[^ \t\n\r\f\v]*")


class InputStream:
    """Bytes of one input, read once from front to back.

    ``name`` is for messages. All readers raise KaldiError, naming the input, when it ends too early.
    """

    def __init__(self, fd: int, name: str, on_close: Callable[[bool], None] | None = None, position: int = 0) -> None:
        """Reads from ``fd``, which stands at byte ``position``; ``on_close(at_end)`` frees it."""
        self.name = name
        self._fd = fd
        self._on_close = on_close
        self._buffer = b""
        self._pos = 0
        self._consumed = position  # where in the input the buffer begins
        self._at_end = False

    @classmethod
    def from_bytes(cls, data: bytes, name: str = "memory") -> InputStream:
        """A stream over bytes in memory."""
        stream = cls(-1, name)
        stream._buffer = bytes(data)
        stream._at_end = True
        return stream

    # The buffer, for readers that parse in place: bytes [pos, len) are next.

    @property
    def buffer(self) -> bytes:
        """What has been read ahead; the next byte is at index ``pos``. Changes with every call of ``fill``."""
        return self._buffer

    @property
    def pos(self) -> int:
        """Index into ``buffer`` of the next byte; may be moved forward by who has parsed in place."""
        return self._pos

    @pos.setter
    def pos(self, value: int) -> None:
        self._pos = value

    def fill(self, n: int) -> int:
        """Reads ahead until ``n`` bytes are buffered or the input ends; returns how many are buffered."""
        have = len(self._buffer) - self._pos
        if have >= n or self._at_end:
            return have
        pieces = [self._buffer[self._pos :]]
        self._consumed += self._pos
        while have < n:
            piece = self._read_some(max(BUFFER_SIZE, min(n - have, TRUSTED_SIZE)))
            if not piece:
                break
            pieces.append(piece)
            have += len(piece)
        self._buffer = b"".join(pieces)
        self._pos = 0
        return have

    def _read_some(self, n: int) -> bytes:
        if self._at_end:
            return b""
        try:
            piece = os.read(self._fd, n)
        except OSError as error:
            raise KaldiError(f"Cannot read {self.name}: {error.strerror}") from error
        if not piece:
            self._at_end = True
        return piece

    # Reading bytes

    def peek(self, n: int = 1) -> bytes:
        """The next up to ``n`` bytes, which stay unread; b"" at the end."""
        if len(self._buffer) - self._pos < n:
            self.fill(n)
        return self._buffer[self._pos : self._pos + n]

    def read(self, n: int) -> bytes:
        """Exactly ``n`` bytes."""
        if n < 0:
            raise KaldiError(f"Negative length {n} in {self.where()}")
        if len(self._buffer) - self._pos < n:
            self._require(n)
        data = self._buffer[self._pos : self._pos + n]
        self._pos += len(data)
        return data

    def read_up_to(self, n: int) -> bytes:
        """Up to ``n`` bytes; fewer only at the end of the input."""
        n = min(n, self.fill(n))
        return self.read(n)

    def readinto(self, target: Any) -> None:
        """Fills a writable contiguous buffer (an ndarray, say) from the stream."""
        view = memoryview(target).cast("B") if memoryview(target).nbytes else memoryview(b"")
        n = len(view)
        have = min(n, len(self._buffer) - self._pos)
        view[:have] = self._buffer[self._pos : self._pos + have]
        self._pos += have
        while have < n:
            if n - have < BUFFER_SIZE or self._at_end:
                self._require(n - have)
                view[have:] = self.read(n - have)
                return
            self._consumed += self._pos
            self._buffer, self._pos = b"", 0
            try:
                got = os.readv(self._fd, [view[have:]])
            except OSError as error:
                raise KaldiError(f"Cannot read {self.name}: {error.strerror}") from error
            self._at_end = got == 0
            self._consumed += got
            have += got

    def skip(self, n: int) -> None:
        """Passes over ``n`` bytes."""
        while n > 0:
            step = min(n, max(len(self._buffer) - self._pos, BUFFER_SIZE))
            self._require(step)
            self._pos += step
            n -= step

    def seek(self, position: int) -> None:
        """Moves to a byte position in the file. Only for regular files."""
        start = self._file_position() - len(self._buffer)
        if not start <= position <= start + len(self._buffer):
            try:
                os.lseek(self._fd, position, os.SEEK_SET)
            except (OSError, OverflowError) as error:
                raise KaldiError(f"Cannot go to byte {position} of {self.name}: {error}") from error
            self._buffer, start = b"", position
            self._at_end = False
        self._pos = position - start
        self._consumed = start

    def _file_position(self) -> int:
        return os.lseek(self._fd, 0, os.SEEK_CUR)

    def readline(self) -> bytes:
        """The rest of the line with its newline; b"" at the end of the input."""
        return self._scan(b"\n")

    def read_through(self, mark: bytes) -> bytes:
        """Everything up to and including the one-byte ``mark``; raises KaldiError when there is none."""
        data = self._scan(mark)
        if not data.endswith(mark):
            raise KaldiError(f"{self.where()}: input ends before {mark.decode('latin-1')!r}")
        return data

    def _scan(self, mark: bytes) -> bytes:
        searched = 0
        while True:
            end = self._buffer.find(mark, self._pos + searched)
            if end >= 0:
                return self.read(end + 1 - self._pos)
            searched = len(self._buffer) - self._pos
            if self.fill(max(2 * searched, searched + 1)) == searched:
                return self.read(searched)

    # Reading text

    def skip_space(self) -> None:
        """Passes over white space (C++'s ``>> std::ws``)."""
        while True:
            match = _SPACE.match(self._buffer, self._pos)
            assert match
            self._pos = match.end()
            if self._pos < len(self._buffer) or self.fill(1) == 0:
                return

    def word(self) -> bytes:
        """The next run of non-space bytes after white space, b"" at the end; what follows it stays unread."""
        self.skip_space()
        size = 0
        while True:
            match = _WORD.match(self._buffer, self._pos + size)
            assert match
            size = match.end() - self._pos
            if match.end() < len(self._buffer) or self.fill(max(2 * size, size + 1)) == size:
                return self.read(size)

    # Where we are

    def tell(self) -> int:
        """Position in the input in bytes."""
        return self._consumed + self._pos

    def where(self) -> str:
        """The input and the position in it, for messages."""
        return f"{self.name} at byte {self.tell()}"

    def at_end(self) -> bool:
        """Whether nothing is left."""
        return not self.peek()

    def holds(self, n: int) -> bool:
        """Whether ``n`` more bytes may be there: False only where that can be known without reading them."""
        have = len(self._buffer) - self._pos
        if n <= have:
            return True
        if self._at_end:
            return False
        status = os.fstat(self._fd)
        if not stat.S_ISREG(status.st_mode):
            return True
        return n <= have + status.st_size - os.lseek(self._fd, 0, os.SEEK_CUR)

    def is_file(self) -> bool:
        """Whether the length of what is to come can be trusted, once ``holds`` says yes."""
        return self._at_end or stat.S_ISREG(os.fstat(self._fd).st_mode)

    def _require(self, n: int) -> None:
        if not (n <= BUFFER_SIZE or self.holds(n)) or self.fill(n) < n:
            have = len(self._buffer) - self._pos
            raise KaldiError(
                f"{self.where()}: truncated, {n} more bytes expected" + (f", only {have} there" if self._at_end else "")
            )

    # Closing

    def close(self, failed: bool = False) -> None:
        """Frees the stream. A pipe whose command failed raises KaldiError, unless ``failed`` already."""
        on_close, self._on_close = self._on_close, None
        if on_close is None:
            return
        try:
            on_close(self._at_end)
        except KaldiError:
            if not failed:
                raise

    def __del__(self) -> None:
        with contextlib.suppress(Exception):
            self.close(failed=True)

    def __enter__(self) -> InputStream:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close(failed=kind is not None)

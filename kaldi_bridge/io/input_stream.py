"""A byte stream to read from: one buffer over a file, a pipe or memory, which never trusts a length."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any

from kaldi_bridge.errors import KaldiError

BUFFER_SIZE = 1 << 18
# Beyond this many bytes, memory is taken only as the bytes arrive (or when the file is known to be that long).
TRUSTED_SIZE = 1 << 24
_FIRST_READ = 1 << 12  # what is read ahead after a jump; grows to BUFFER_SIZE while reading goes on from there
_DIRECT_READ = 1 << 16  # more than this goes straight to where it is wanted
_SPACE = re.compile(rb"[ \t\n\r\f\v]*")
_WORD = re.compile(rb"[ \t\n\r\f\v]*([^ \t\n\r\f\v]*)")


class InputStream:
    """Bytes of one input, read once from front to back.

    ``name`` is for messages. All readers raise KaldiError, naming the input, when it ends too early.
    Who parses in place finds the next bytes in ``buffer[pos:end]`` and moves ``pos`` past what was parsed; every
    call of another method may change all three.
    """

    __slots__ = (
        *("buffer", "end", "name", "pos"),
        *(
            "_ahead",
            "_at_end",
            "_base",
            "_expected",
            "_fd",
            "_jumped_to",
            "_last_size",
            "_offset",
            "_on_close",
            "_size",
        ),
    )

    def __init__(
        self, fd: int, name: str, on_close: Callable[[bool, bool], None] | None = None, offset: int | None = None
    ) -> None:
        """Reads from ``fd``: a regular file from byte ``offset`` on, anything else (None) from where it stands.

        ``on_close(at_end, failed)`` frees it.
        """
        self.name = name
        self.buffer: bytes | bytearray = b""
        self.pos = 0
        self.end = 0
        self._base = offset or 0  # position in the input where the buffer begins
        self._fd = fd
        self._jumped_to = self._base  # where reading began
        self._offset = offset  # position in the file of the next read
        self._size = -1  # of the regular file, once known
        self._ahead = _FIRST_READ
        self._expected = self._last_size = 0  # of what is found by found_at
        self._at_end = False
        self._on_close = on_close

    @classmethod
    def from_bytes(cls, data: bytes, name: str = "memory") -> InputStream:
        """A stream over bytes in memory."""
        stream = cls(-1, name)
        stream.buffer = bytes(data)
        stream.end = len(stream.buffer)
        stream._at_end = True
        return stream

    # From the operating system into the buffer

    def fill(self, n: int) -> int:
        """Reads ahead until ``n`` bytes are buffered or the input ends; returns how many are buffered."""
        have = self.end - self.pos
        if have >= n or self._at_end:
            return have
        target = self._ahead if self._ahead > n else n
        if have or len(self.buffer) < target:
            self._make_room(target)
        else:
            self._base += self.pos
            self.pos = self.end = 0
        if self._ahead < BUFFER_SIZE:
            self._ahead *= 4
        view = memoryview(self.buffer)
        while True:
            got = self._read_some([view[self.end : target]])
            self.end += got
            if self.end >= n or not got:
                return self.end

    def _make_room(self, capacity: int) -> None:
        """Moves what is buffered to the front of a buffer of at least this capacity."""
        have = self.end - self.pos
        rest = self.buffer[self.pos : self.end]
        if len(self.buffer) < capacity:
            self.buffer = bytearray(capacity)
        assert isinstance(self.buffer, bytearray)
        self.buffer[:have] = rest
        self._base += self.pos
        self.pos, self.end = 0, have

    def _read_some(self, views: list[memoryview]) -> int:
        try:
            if self._offset is None:
                got = os.readv(self._fd, views)
            else:
                got = os.preadv(self._fd, views, self._offset)
                self._offset += got
        except OSError as error:
            raise KaldiError(f"Cannot read {self.name}: {error.strerror}") from error
        self._at_end = got == 0
        return got

    # Reading bytes

    def parsed(self, parse: Callable[[Any, int, int], tuple[int, Any]], read_on: bool = False) -> Any:
        """The object that a parser in C++ finds in the buffer; None, and nothing read, where none lies there whole.

        ``parse(buffer, pos, end)`` returns (its end, the object), (0, None) for another form, or (-1, None) where the
        buffer ends too early: with ``read_on``, more is read then.
        """
        while True:
            end, value = parse(self.buffer, self.pos, self.end)
            if end > 0:
                self.pos = end
                return value
            have = self.end - self.pos
            if end == 0 or not read_on or have > TRUSTED_SIZE or self.fill(2 * have or 1) <= have:
                return None

    def found_at(self, position: int, form: Any) -> Any:
        """What C++ (csrc/object_form.h) finds at a byte position of a regular file, past what is buffered.

        None, and nothing read, where nothing of its form lies there whole.
        """
        size, found = form.at(self._fd, position, self._expected)
        # Where all are of one size the next one is read at once, else its header first.
        self._expected, self._last_size = size if size == self._last_size > 0 else 0, size
        return found

    def next_entry(self, form: Any) -> tuple[str, Any] | None:
        """The next (key, object) of an archive, which C++ (csrc/object_form.h) reads from a file to where it stays.

        None, and nothing read, where this is no regular file, or the object is of another kind.
        """
        if self._offset is None:
            return None
        position = self.tell()
        size, key, found = form.entry_at(self._fd, position)
        if found is None:
            return None
        self.seek(position + size)
        return key, found

    def peek(self, n: int = 1) -> bytes:
        """The next up to ``n`` bytes, which stay unread; b"" at the end."""
        if self.end - self.pos < n:
            self.fill(n)
        return bytes(self.buffer[self.pos : min(self.pos + n, self.end)])

    def read(self, n: int) -> bytes:
        """Exactly ``n`` bytes."""
        pos = self.pos
        if 0 <= n <= self.end - pos:
            self.pos = pos + n
            return bytes(self.buffer[pos : pos + n])
        if n < 0:
            raise KaldiError(f"Negative length {n} in {self.where()}")
        if n > BUFFER_SIZE and not self.holds(n):
            raise self._truncated(n)
        if n <= TRUSTED_SIZE or self.is_file():
            data = bytearray(n)
            self.readinto(data)
            return bytes(data)
        pieces = []
        while n:
            pieces.append(self.read(min(n, TRUSTED_SIZE)))
            n -= len(pieces[-1])
        return b"".join(pieces)

    def read_up_to(self, n: int) -> bytes:
        """Up to ``n`` bytes; fewer only at the end of the input. Takes memory for ``n`` bytes."""
        return self.read(min(n, self.fill(n)))

    def read_all(self) -> bytes:
        """What is left of the input."""
        return b"".join(iter(lambda: self.read_up_to(BUFFER_SIZE), b""))

    def readinto(self, target: Any) -> None:
        """Fills a writable contiguous buffer (an ndarray, say) from the stream."""
        view = memoryview(target)
        n = view.nbytes
        have = self.end - self.pos
        if have < n < have + _DIRECT_READ:
            have = self.fill(n)
        if n <= have:
            if n:
                view.cast("B")[:] = memoryview(self.buffer)[self.pos : self.pos + n]
            self.pos += n
            return
        if self._at_end:
            raise self._truncated(n)
        view = view.cast("B")
        view[:have] = memoryview(self.buffer)[self.pos : self.end]
        self._base += self.end
        self.pos = self.end = 0
        # The rest goes straight to the target; the same call reads ahead, not much as that is copied once more.
        if len(self.buffer) < _FIRST_READ:
            self.buffer = bytearray(_FIRST_READ)
        ahead = memoryview(self.buffer)[:_FIRST_READ]
        while have < n:
            got = self._read_some([view[have:], ahead])
            if got == 0:
                raise KaldiError(f"{self.where()}: truncated, {n - have} more bytes expected")
            self.end = max(0, got - (n - have))
            self._base += got - self.end
            have += got - self.end

    def skip(self, n: int) -> None:
        """Passes over ``n`` bytes."""
        while n > 0:
            step = min(n, max(self.end - self.pos, 1))
            if self.fill(step) < step:
                raise self._truncated(n)
            self.pos += step
            n -= step

    def seek(self, position: int) -> None:
        """Moves to a byte position in a regular file."""
        if self._base <= position <= self._base + self.end:
            self.pos = position - self._base
            return
        # The next object will be about as long as the last one: more than a buffer is read directly anyway.
        length = self._base + self.pos - self._jumped_to
        self._ahead = length + 64 if 0 < length < _DIRECT_READ else _FIRST_READ
        self._base = self._offset = self._jumped_to = position
        self.pos = self.end = 0
        self._at_end = False

    def readline(self) -> bytes:
        """The rest of the line with its newline; b"" at the end of the input."""
        return self._scan(b"\n")

    def lines(self) -> Iterator[bytes]:
        """All lines to the end, without their newlines, as they arrive."""
        while not self.at_end():
            after = self.buffer.rfind(b"\n", self.pos, self.end) + 1
            if after:
                yield from self.read(after - self.pos).split(b"\n")[:-1]
            else:
                yield self.readline().removesuffix(b"\n")

    def read_through(self, mark: bytes) -> bytes:
        """Everything up to and including the one-byte ``mark``; raises KaldiError when there is none."""
        data = self._scan(mark)
        if not data.endswith(mark):
            raise KaldiError(f"{self.where()}: input ends before {mark.decode('latin-1')!r}")
        return data

    def _scan(self, mark: bytes) -> bytes:
        searched = 0
        while True:
            found = self.buffer.find(mark, self.pos + searched, self.end)
            if found >= 0:
                return self.read(found + 1 - self.pos)
            searched = self.end - self.pos
            if self.fill(2 * searched or 1) == searched:
                return self.read(searched)

    # Reading text

    def skip_space(self) -> None:
        """Passes over white space (C++'s ``>> std::ws``)."""
        while True:
            match = _SPACE.match(self.buffer, self.pos, self.end)
            assert match
            self.pos = match.end()
            if self.pos < self.end or self.fill(1) == 0:
                return

    def word(self) -> bytes:
        """The next run of non-space bytes after white space, b"" at the end; what follows it stays unread."""
        while True:
            match = _WORD.match(self.buffer, self.pos, self.end)
            assert match
            if match.end() < self.end:
                self.pos = match.end()
                return match[1]
            have = self.end - self.pos
            if have > TRUSTED_SIZE:
                raise KaldiError(
                    f"{self.where()}: a word of more than {TRUSTED_SIZE} bytes: this is not Kaldi's format"
                )
            if not match[1]:
                self.pos = self.end
                have = 0
            if self.fill(2 * have or 1) == have:
                self.pos = self.end
                return match[1]

    # Where we are

    def tell(self) -> int:
        """Position in the input in bytes."""
        return self._base + self.pos

    def where(self) -> str:
        """The input and the position in it, for messages."""
        return f"{self.name} at byte {self.tell()}"

    def at_end(self) -> bool:
        """Whether nothing is left."""
        return self.end == self.pos and self.fill(1) == 0

    def ended(self) -> bool:
        """Whether the end has been seen and nothing is buffered; reads nothing."""
        return self._at_end and self.end == self.pos

    def holds(self, n: int) -> bool:
        """Whether ``n`` more bytes may be there: False only where that can be known without reading them."""
        have = self.end - self.pos
        if n <= have or self._at_end:
            return n <= have
        if self._offset is None:
            return True
        if n > have + self._size - self._offset:
            self._size = os.fstat(self._fd).st_size
        return n <= have + self._size - self._offset

    def is_file(self) -> bool:
        """Whether the length of what is to come is known, so that ``holds`` can be relied on."""
        return self._at_end or self._offset is not None

    def _truncated(self, n: int) -> KaldiError:
        return KaldiError(f"{self.where()}: truncated, {n} more bytes expected")

    # Closing

    def close(self, failed: bool = False) -> None:
        """Frees the stream. A pipe whose command failed raises KaldiError, unless ``failed`` already."""
        on_close, self._on_close = self._on_close, None
        if on_close is not None:
            on_close(self._at_end, failed)

    def __del__(self) -> None:
        with contextlib.suppress(Exception):
            self.close(failed=True)

    def __enter__(self) -> InputStream:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close(failed=kind is not None)

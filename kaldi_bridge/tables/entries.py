"""Entries of archives, and the objects that lines of script files name: what both kinds of table readers share."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.extension import _csrc
from kaldi_bridge.io.filenames import classify_input
from kaldi_bridge.io.input_stream import InputStream
from kaldi_bridge.io.streams import open_input
from kaldi_bridge.io.text import decode, is_number, shown
from kaldi_bridge.tables.scp import split_range

_LONG, _LONG_IN_FILE = 1 << 16, 1 << 14  # bytes
_KEY = re.compile(rb"[ \t\n\r\f\v]*([^ \t\n\r\f\v]+)[ \t]")

# Once glibc has freed a block of this size, it keeps such blocks for the next object; before, each one would be
# fetched from and returned to the system page by page, which takes longer than reading it.
np.empty(1 << 24, np.uint8)


def _form_of(holder: Any) -> tuple[Any, Callable[[Any], Any] | None]:
    """What finds such objects fast, and makes them of what it finds; None for what needs nothing of the kind."""
    name = getattr(holder, "form", "")
    return (_csrc.forms[name], getattr(holder, "made", None)) if name else (None, None)


def read_entries(stream: InputStream, holder: Any) -> Iterator[tuple[str, Any]]:
    """Yields the (key, object) of an archive."""
    read, (form, made) = holder.read, _form_of(holder)
    long, is_long = _LONG_IN_FILE if stream.is_file() else _LONG, False
    while True:
        # Long ones are copied once from a file to where they stay, without the buffer.
        begin = stream.tell()
        if form is not None and is_long and (entry := stream.next_entry(form)) is not None:
            is_long = stream.tell() - begin > long
            yield entry if made is None else (entry[0], made(entry[1]))
            continue
        # Those that are buffered whole come all at once, then the one at the end of the buffer. Long ones never are.
        if form is not None and not is_long:
            stream.pos, entries = form.entries(stream.buffer, stream.pos, stream.end)
            yield from entries if made is None else ((key, made(found)) for key, found in entries)
        match = _KEY.match(stream.buffer, stream.pos, stream.end)
        if match:
            stream.pos = match.end()
            key = decode(match[1])
        elif not (key := _read_key(stream)):
            return
        begin = stream.tell()
        try:
            value = read(stream)
        except KaldiError as error:
            raise KaldiError(f"Failed to read the object of key {shown_key(key)}: {error}") from error
        is_long = stream.tell() - begin > long
        yield key, value


def _read_key(stream: InputStream) -> str:
    """The next key, "" at the end. A newline after it stays unread: the object may be an empty line."""
    key = decode(stream.word())
    after = stream.peek()
    if key and after not in (b" ", b"\t", b"\n"):
        raise KaldiError(f"{stream.where()}: expected space after key {shown(key, 20)}: not an archive?")
    if after in (b" ", b"\t"):
        stream.skip(1)
    return key


def shown_key(key: str) -> str:
    """For messages: as it is, unless these may be bytes of a damaged archive."""
    return key if key.isprintable() and len(key) <= 100 else shown(key, 40)


class ObjectLoader:
    """Loads the objects that script files name, keeping the last file open and the last object at hand."""

    def __init__(self, holder: Any) -> None:
        self._holder = holder
        self._form, self._made = _form_of(holder)
        self._path = ""
        self._stream: InputStream | None = None
        self._last_name = ""
        self._last_value: Any = None

    def load(self, filename: str) -> Any:
        """The object at "file", "file:offset", "command |", ..., or the part of it that a range at the end names."""
        path, _, offset = filename.rpartition(":")
        stream = self._stream
        if path == self._path and stream is not None and is_number(offset):
            position = int(offset)
            if self._form is not None and (found := stream.found_at(position, self._form)) is not None:
                return found if self._made is None else self._made(found)
            stream.seek(position)
            return self._holder.read(stream)
        if not filename.endswith("]"):
            self._last_value = None
            self._last_name = ""
            return self._read(filename)
        name, range_text = split_range(filename)
        if name != self._last_name:
            self._last_value = self._read(name)
            self._last_name = name
        return self._holder.extract_range(self._last_value, range_text)

    def close(self) -> None:
        """Closes the file that was kept open."""
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.close()

    def _read(self, name: str) -> Any:
        path, _, offset = name.rpartition(":")
        if path == self._path and self._stream is not None and is_number(offset):  # before a range
            self._stream.seek(int(offset))
            return self._holder.read(self._stream)
        if classify_input(name) == "offset":
            self.close()
            self._stream = open_input(name)
            self._path = path
            return self._holder.read(self._stream)
        with open_input(name) as stream:
            return self._holder.read(stream)

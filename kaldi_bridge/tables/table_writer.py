"""Writing a table."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Sequence
from types import TracebackType
from typing import Generic, TypeVar

from kaldi_bridge import log
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.filenames import classify_output
from kaldi_bridge.io.input_stream import InputStream
from kaldi_bridge.io.output_stream import OutputStream
from kaldi_bridge.io.specifiers import is_token, parse_wspecifier
from kaldi_bridge.io.streams import open_output
from kaldi_bridge.io.text import encode, shown
from kaldi_bridge.tables.entries import read_entries
from kaldi_bridge.tables.holders import Holder
from kaldi_bridge.tables.scp import read_script

T = TypeVar("T")


class TableWriter(Generic[T]):
    """Writes (key, object) into an archive, an archive with a script file, or the files that a script file names.

    As a context manager, it makes archive and script file appear together at the end, or neither when an exception
    passes through.
    """

    def __init__(self, wspecifier: str, holder: Holder[T]) -> None:
        """Opens the table; raises KaldiError when it cannot be written."""
        options = parse_wspecifier(wspecifier)
        if options is None:
            raise KaldiError(f"Invalid wspecifier {wspecifier!r}: expected, for example, ark:file or ark,scp:file,file")
        self._wspecifier = wspecifier
        self._holder = holder
        self._options = options
        self._archive: OutputStream | None = None
        self._script: OutputStream | None = None
        self._archive_name = encode(options.archive or "")
        self._files: dict[str, str] = {}
        if options.archive is None:
            assert options.script is not None
            self._files = read_script(options.script)
            return
        if options.script is not None and classify_output(options.archive) != "file":
            log.warning(f"The script file will be of no use, as the archive is not a file: {wspecifier}")
        if options.script is not None and "\n" in options.archive:
            raise KaldiError(
                f"The script file of {shown(wspecifier)} cannot name the archive, which has a newline in it"
            )
        self._archive = open_output(options.archive)
        if options.script is not None:
            try:
                self._script = open_output(options.script)
            except BaseException:
                self._archive.discard()
                raise

    def write(self, key: str, value: T) -> None:
        """Writes one object."""
        self._check(key)
        if self._archive is None:
            self._write_file(key, value)
            return
        name = encode(key)
        self._archive.write(name + b" ")
        if self._script is not None:
            self._script.write(b"%s %s:%d\n" % (name, self._archive_name, self._archive.tell()))
        self._holder.write(self._archive, self._options.binary, value)
        if self._options.flush:
            self._archive.flush()
            if self._script is not None:
                self._script.flush()

    def write_packed(self, keys: Iterable[str], entries: bytes) -> None:
        """Writes objects that stand in ``entries`` as in a binary archive: at once, where that is what is written.

        ``keys``: those of the entries, or what they begin with.
        """
        for key in keys:
            self._check(key)
        archive = self._archive
        if archive is not None and self._script is None and self._options.binary:
            archive.write(entries)
            if self._options.flush:
                archive.flush()
            return
        for key, value in read_entries(InputStream.from_bytes(entries, "memory"), self._holder):
            self.write(key, value)

    def write_all(self, key: str, values: Sequence[T], formed: Callable[[bytes, Sequence[T], bool], bytes]) -> None:
        """Writes objects that have the same key: at once, where no script file wants their places.

        ``formed``: gives the entries of a table in text, or binary where that is wanted.
        """
        if self._archive is None or self._script is not None:
            for value in values:
                self.write(key, value)
            return
        self._check(key)
        self._archive.write(formed(encode(key), values, self._options.binary))
        if self._options.flush:
            self._archive.flush()

    def _check(self, key: str) -> None:
        if not is_token(key):
            raise KaldiError(f"{shown(key)} cannot be a key of {self._wspecifier}: it is empty or has spaces in it")

    def _write_file(self, key: str, value: T) -> None:
        filename = self._files.get(key)
        if filename is None:
            if self._options.permissive:
                return
            raise KaldiError(f"The script file of {self._wspecifier} has no entry for key {key}")
        with open_output(filename) as stream:
            self._holder.write(stream, self._options.binary, value)

    def close(self) -> None:
        """Finishes the table; raises KaldiError when it could not be written whole."""
        streams = [stream for stream in (self._archive, self._script) if stream is not None]
        try:
            for stream in streams:
                stream.finish()
            for stream in streams:
                stream.commit()
        except BaseException:
            self.discard()
            raise

    def discard(self) -> None:
        """Ends the writing after an error: the table does not appear."""
        for stream in (self._archive, self._script):
            if stream is not None:
                with contextlib.suppress(KaldiError):
                    stream.discard()

    def __enter__(self) -> TableWriter[T]:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.discard()

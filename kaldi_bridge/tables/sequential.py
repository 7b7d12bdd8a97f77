"""Reading a table from front to back."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from types import TracebackType
from typing import Generic, TypeVar

from kaldi_bridge import log
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.specifiers import parse_rspecifier
from kaldi_bridge.io.streams import open_input
from kaldi_bridge.tables.background import Background
from kaldi_bridge.tables.entries import ObjectLoader, read_entries
from kaldi_bridge.tables.holders import Holder
from kaldi_bridge.tables.scp import ScriptLineError, read_lines

T = TypeVar("T")


class SequentialReader(Generic[T]):
    """Iterates over the (key, object) of a table, once. Errors raise KaldiError, at the latest when the table ends."""

    def __init__(self, rspecifier: str, holder: Holder[T]) -> None:
        """Opens the table; raises KaldiError when there is none."""
        options = parse_rspecifier(rspecifier)
        if options is None:
            raise KaldiError(f"Invalid rspecifier {rspecifier!r}: expected, for example, ark:file or scp:file")
        self._holder = holder
        self._permissive = options.permissive
        self._stream = open_input(options.rxfilename)
        entries = self._archive() if options.kind == "ark" else self._script()
        self._entries = Background(entries) if options.background else entries

    def __iter__(self) -> Iterator[tuple[str, T]]:
        return self._entries

    def __next__(self) -> tuple[str, T]:
        return next(self._entries)

    def _archive(self) -> Generator[tuple[str, T], None, None]:
        try:
            yield from read_entries(self._stream, self._holder)
            self._stream.close()
        except KaldiError as error:
            if not self._permissive:
                raise
            log.warning(f"{error} (the rest is ignored, as permissive mode is specified)")

    def _script(self) -> Generator[tuple[str, T], None, None]:
        loader = ObjectLoader(self._holder)
        try:
            for key, filename in self._lines():
                try:
                    value = loader.load(filename)
                except KaldiError as error:
                    if not self._permissive:
                        raise KaldiError(f"Failed to load the object of key {key}: {error}") from error
                    log.warning(f"{error} (key {key} is left out, as permissive mode is specified)")
                    continue
                yield key, value
            self._stream.close()
        finally:
            loader.close()

    def _lines(self) -> Iterator[tuple[str, str]]:
        """Those of the script file. As in Kaldi a bad line ends the table, with no more than a warning.

        Raises KaldiError for the first line.
        """
        any_good = False
        try:
            for key, filename in read_lines(self._stream):
                yield key, filename
                any_good = True
        except ScriptLineError as error:
            if not any_good:
                raise
            log.warning(
                f"We got an invalid line in the scp file. It should look like: some_key 1.ark:10, got: {error.line}"
            )

    def close(self, failed: bool = False) -> None:
        """Ends the reading; a pipe whose command failed raises KaldiError."""
        if failed and isinstance(self._entries, Background):
            return  # its thread has the stream still, and may wait for what a silent pipe says next
        self._entries.close()
        self._stream.close(failed or self._permissive)

    def __enter__(self) -> SequentialReader[T]:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close(failed=kind is not None)

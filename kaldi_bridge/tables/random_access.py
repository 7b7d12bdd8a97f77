"""Looking up the objects of a table by key."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Generic, Protocol, TypeVar

from kaldi_bridge import log
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.specifiers import Rspecifier, is_token, parse_rspecifier
from kaldi_bridge.io.streams import open_input
from kaldi_bridge.io.text import decode, encode, shown
from kaldi_bridge.tables.entries import ObjectLoader, read_entries, shown_key
from kaldi_bridge.tables.holders import TOKEN, Holder
from kaldi_bridge.tables.scp import read_script

T = TypeVar("T")
_MISSING: Any = object()


class _Table(Protocol):
    """``get``: the object or _MISSING; ``has``: whether it is there."""

    def get(self, key: str) -> Any: ...

    def has(self, key: str) -> bool: ...

    def close(self, failed: bool) -> None: ...


class RandomAccessReader(Generic[T]):
    """``key in reader``, ``reader[key]``.

    With ``utt2spk`` (an rspecifier), keys are utterances and the table is about their speakers.
    An archive is read as far as needed. What was read stays in memory, unless the rspecifier promises that each
    key is asked for once (o), or that the archive is sorted and keys are asked for in order (s,cs).
    """

    def __init__(self, rspecifier: str, holder: Holder[T], utt2spk: str | None = None) -> None:
        """Opens the table; raises KaldiError when there is none."""
        options = parse_rspecifier(rspecifier)
        if options is None:
            raise KaldiError(f"Invalid rspecifier {rspecifier!r}: expected, for example, ark:file or scp:file")
        self._rspecifier = rspecifier
        self._table: _Table
        if options.kind == "scp":
            self._table = _Script(options, holder)
        elif options.sorted and options.called_sorted:
            self._table = _OrderedArchive(options, holder)
        else:
            self._table = _Archive(options, holder)
        self._speakers: RandomAccessReader[str] | None = None
        if utt2spk:
            self._speakers = RandomAccessReader(utt2spk, TOKEN)

    def __contains__(self, key: str) -> bool:
        return self._table.has(self._mapped(key))

    def __getitem__(self, key: str) -> T:
        value = self._table.get(key if self._speakers is None and is_token(key) else self._mapped(key))
        if value is _MISSING:
            raise KaldiError(
                f"No object for key {key} in {self._rspecifier} "
                "(to ignore this, add the p, (permissive) option to the rspecifier)"
            )
        return value

    def get(self, key: str, default: Any = None) -> Any:
        """The object, or ``default`` where there is none."""
        value = self._table.get(self._mapped(key))
        return default if value is _MISSING else value

    def _mapped(self, key: str) -> str:
        if self._speakers is None:
            if not is_token(key):
                raise KaldiError(f"Invalid key {shown(key)}")
            return key
        if key not in self._speakers:
            raise KaldiError(f"Key {key} is not in the map {self._speakers._rspecifier}")
        return self._speakers[key]

    def close(self, failed: bool = False) -> None:
        """Ends the reading; a pipe whose command failed raises KaldiError."""
        if self._speakers is not None:
            self._speakers.close(failed)
        self._table.close(failed)

    def __enter__(self) -> RandomAccessReader[T]:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close(failed=kind is not None)


class _Script:
    """A script file: read whole at once, objects loaded when asked for."""

    def __init__(self, options: Rspecifier, holder: Any) -> None:
        self._permissive = options.permissive
        self._files = read_script(options.rxfilename, in_order=options.sorted)
        self._loader = ObjectLoader(holder)
        self._last_key = ""
        self._last_value: Any = None

    def has(self, key: str) -> bool:
        # In permissive mode a key whose object cannot be read counts as absent.
        return self.get(key) is not _MISSING if self._permissive else key in self._files

    def get(self, key: str) -> Any:
        if key == self._last_key:
            return self._last_value
        filename = self._files.get(key)
        if filename is None:
            return _MISSING
        self._last_value = None  # frees its memory for the next one
        self._last_key = ""
        try:
            value = self._loader.load(filename)
        except KaldiError as error:
            if not self._permissive:
                raise KaldiError(f"Failed to load the object of key {key}: {error}") from error
            log.warning(f"{error} (key {key} counts as absent, as permissive mode is specified)")
            value = _MISSING
        self._last_key = key
        self._last_value = value
        return value

    def close(self, failed: bool) -> None:
        self._loader.close()


class _Entries:
    """The entries of an archive, one by one."""

    def __init__(self, options: Rspecifier, holder: Any) -> None:
        self._options = options
        self._stream = open_input(options.rxfilename)
        self._entries = read_entries(self._stream, holder)
        self._last_key = b""
        self._ended = False

    def next(self) -> tuple[str, Any] | None:
        """The next (key, object); None at the end."""
        if self._ended:
            return None
        try:
            entry = next(self._entries, None)
            if entry is None:
                self._ended = True
                self._stream.close()
                return None
        except KaldiError as error:
            self._ended = True
            if not self._options.permissive:
                raise
            log.warning(f"{error} (the rest is ignored, as permissive mode is specified)")
            return None
        key = encode(entry[0])
        if self._options.sorted and self._last_key and key <= self._last_key:
            self._ended = True
            raise KaldiError(
                f'The "s" option says that {self._stream.name} is sorted, '
                f"but {decode(self._last_key)} is followed by {shown_key(entry[0])}"
            )
        self._last_key = key
        return entry

    def past(self, key: str) -> bool:
        """Whether a sorted archive has been read far enough to know that the key is not to come."""
        return self._options.sorted and self._last_key >= encode(key)

    def close(self, failed: bool) -> None:
        self._stream.close(failed or self._options.permissive)


class _Archive:
    """An archive whose objects are kept."""

    def __init__(self, options: Rspecifier, holder: Any) -> None:
        self._once = options.once
        self._entries = _Entries(options, holder)
        self._seen: dict[str, Any] = {}
        self._given: set[str] = set()

    def has(self, key: str) -> bool:
        while key not in self._seen:
            if key in self._given:
                raise KaldiError(f'The "o" option says that each key is asked for once, but {key} is asked for again')
            if self._entries.past(key):
                return False
            entry = self._entries.next()
            if entry is None:
                return False
            if entry[0] in self._seen or entry[0] in self._given:
                raise KaldiError(f"Duplicate key {shown_key(entry[0])} in the archive")
            self._seen[entry[0]] = entry[1]
        return True

    def get(self, key: str) -> Any:
        if not self.has(key):
            return _MISSING
        if not self._once:
            return self._seen[key]
        self._given.add(key)
        return self._seen.pop(key)

    def close(self, failed: bool) -> None:
        self._entries.close(failed)


class _OrderedArchive:
    """A sorted archive asked for keys in order (s,cs): one object at a time in memory."""

    def __init__(self, options: Rspecifier, holder: Any) -> None:
        self._entries = _Entries(options, holder)
        self._current: tuple[str, Any] | None = None
        self._last_request = b""
        self._started = False

    def has(self, key: str) -> bool:
        current = self._current
        if current is not None and current[0] == key:
            return True
        request = encode(key)
        if request < self._last_request:
            raise KaldiError(
                f'The "cs" option says that keys are asked for in order, but {key} is asked for '
                f"after {decode(self._last_request)}"
            )
        self._last_request = request
        if not self._started:
            self._started = True
            current = self._entries.next()
        while current is not None and encode(current[0]) < request:
            current = self._entries.next()
        self._current = current
        return current is not None and current[0] == key

    def get(self, key: str) -> Any:
        return self._current[1] if self.has(key) and self._current else _MISSING

    def close(self, failed: bool) -> None:
        self._entries.close(failed)

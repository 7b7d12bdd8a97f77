"""Script files (.scp): lines of "key rxfilename", where the filename may end in a range such as [0:9,3:5]."""

from __future__ import annotations

from collections.abc import Iterator

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.input_stream import InputStream
from kaldi_bridge.io.streams import open_input
from kaldi_bridge.io.text import encode, key_and_rest, shown, strip


class ScriptLineError(KaldiError):
    """A line that is not of the form of a script file; ``line`` is the line."""

    def __init__(self, message: str, line: str) -> None:
        super().__init__(message)
        self.line = line


def read_lines(stream: InputStream) -> Iterator[tuple[str, str]]:
    """Yields (key, filename with its range); raises ScriptLineError at a line that is not of this form."""
    if stream.peek() == b"\0":
        raise KaldiError(f"Script file {stream.name} is binary: is it an archive?")
    for number, line in enumerate(stream.lines(), 1):
        key, filename = key_and_rest(line)
        if not filename:
            raise ScriptLineError(
                f"Line {number} of script file {stream.name} is {shown(line)}, not like 'key file.ark:10'",
                strip(line[:80]),
            )
        yield key, filename


def read_script(rxfilename: str, in_order: bool = False) -> dict[str, str]:
    """A whole script file; raises KaldiError for a key given twice, or out of order when it should be ``in_order``."""
    script: dict[str, str] = {}
    last = ""
    with open_input(rxfilename) as stream:
        for key, filename in read_lines(stream):
            if key in script:
                raise KaldiError(f"Script file {stream.name} contains duplicate key {key}")
            if in_order and encode(key) < encode(last):
                raise KaldiError(
                    f"Script file {stream.name} is not sorted (remove s, option or add ns, option): "
                    f"{last} is followed by {key}"
                )
            script[key] = filename
            last = key
    return script


def split_range(filename: str) -> tuple[str, str]:
    """("foo.ark:12[0:9]") -> ("foo.ark:12", "0:9"); the range is "" where there is none."""
    if not filename.endswith("]"):
        return filename, ""
    parts = filename.split("[")
    if len(parts) != 2 or not parts[0] or len(parts[1]) < 2:
        raise KaldiError(f"Cannot make sense of the range in {filename!r}: expected file[first:last]")
    return parts[0], parts[1][:-1]

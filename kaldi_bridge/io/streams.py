"""Opening Kaldi's extended filenames (util/kaldi-io.h): files, offsets, pipes, standard input and output.

with open_input("gunzip -c lat.1.gz |") as stream: ...
with open_output("final.mdl") as stream: ...
"""

from __future__ import annotations

import contextlib
import os
import signal
import stat
from collections.abc import Callable

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.filenames import classify_input, classify_output, printable_input, printable_output, quote
from kaldi_bridge.io.input_stream import BUFFER_SIZE, InputStream
from kaldi_bridge.io.output_stream import OutputStream
from kaldi_bridge.io.pipelines import fork_pipeline, wait_for

__all__ = ["InputStream", "OutputStream", "open_input", "open_output", "open_output_file"]

# Like C++'s std::cin, standard input is one stream, however often it is opened.
_stdin: InputStream | None = None


def _forget_standard_input() -> None:
    global _stdin
    _stdin = None


os.register_at_fork(after_in_child=_forget_standard_input)  # a program in a forked pipeline has its own


def open_input(rxfilename: str) -> InputStream:
    """Opens any rxfilename: "file", "file:offset", "command |", "-" or "".

    Raises KaldiError when it cannot be opened or is none of these.
    """
    kind = classify_input(rxfilename)
    name = printable_input(rxfilename)
    if kind == "stdin":
        return _standard_input()
    if kind == "pipe":
        return _input_pipe(rxfilename[:-1], name)
    if kind == "none":
        raise KaldiError(f"Invalid input filename {name}")
    path, offset = rxfilename, 0
    if kind == "offset":
        path, _, digits = rxfilename.rpartition(":")
        offset = int(digits) if len(digits) < 20 else 1 << 64
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except (OSError, ValueError) as error:
        raise KaldiError(f"Error opening input {name}: {_reason(error)}") from error
    try:
        status = os.fstat(fd)
        if stat.S_ISDIR(status.st_mode):
            raise KaldiError(f"Error opening input {name}: it is a directory")
        if kind == "offset":
            if not stat.S_ISREG(status.st_mode):
                raise KaldiError(f"Error opening input {name}: no offset into what is not a regular file")
            if offset > status.st_size:
                raise KaldiError(f"Error opening input {name}: the file has only {status.st_size} bytes")
    except OSError as error:
        os.close(fd)
        raise KaldiError(f"Error opening input {name}: {_reason(error)}") from error
    except KaldiError:
        os.close(fd)
        raise
    regular = stat.S_ISREG(status.st_mode)
    return InputStream(fd, name, lambda at_end, failed: os.close(fd), offset if regular else None)


def open_output(wxfilename: str) -> OutputStream:
    """Opens any wxfilename: "file", "| command", "-" or "".

    A regular file appears when the stream is closed, whole; until then a hidden temporary file lies beside it.
    Raises KaldiError when it cannot be opened or is none of these.
    """
    kind = classify_output(wxfilename)
    name = printable_output(wxfilename)
    if kind == "stdout":
        return OutputStream(os.fdopen(1, "wb", BUFFER_SIZE, closefd=False), name)
    if kind == "pipe":
        return _output_pipe(wxfilename[1:], name)
    if kind == "none":
        raise KaldiError(f"Invalid output filename {name}")
    return open_output_file(wxfilename)


def open_output_file(path: str | os.PathLike[str]) -> OutputStream:
    """Opens a file of this very name, even one that means something else as a wxfilename; see ``open_output``."""
    path = os.fspath(path)
    try:
        return _output_file(path, quote(path))
    except (OSError, ValueError) as error:
        raise KaldiError(f"Error opening output {quote(path)}: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)


def _standard_input() -> InputStream:
    global _stdin
    if _stdin is None or _stdin.ended():
        _stdin = InputStream(0, printable_input("-"))
    return _stdin


def _input_pipe(command: str, name: str) -> InputStream:
    try:
        forked = fork_pipeline(command)
    except OSError as error:
        raise KaldiError(f"Error opening input {name}: {_reason(error)}") from error
    if forked is not None:
        fd, children = forked
        return _reader(fd, name, lambda: os.close(fd), lambda: wait_for(children))
    import subprocess

    try:
        process = subprocess.Popen(command, shell=True, stdout=subprocess.PIPE, bufsize=0)
    except (OSError, ValueError) as error:
        raise KaldiError(f"Error opening input {name}: {_reason(error)}") from error
    pipe = process.stdout
    assert pipe is not None
    return _reader(pipe.fileno(), name, pipe.close, process.wait)


def _reader(fd: int, name: str, close_pipe: Callable[[], None], wait: Callable[[], int]) -> InputStream:
    """A stream over what a pipe writes, which must succeed: ``wait`` returns its status."""

    def close(at_end: bool, failed: bool) -> None:
        close_pipe()
        if failed:
            return  # there is an error already: no need to wait for what else may happen
        status = wait()
        # Who stops reading early kills the command by SIGPIPE, on purpose.
        if status and (at_end or status not in (-signal.SIGPIPE, 128 + signal.SIGPIPE)):
            raise KaldiError(f"Pipe {name} failed with {_describe(status)}")

    return InputStream(fd, name, close)


def _output_pipe(command: str, name: str) -> OutputStream:
    import subprocess

    try:
        process = subprocess.Popen(command, shell=True, stdin=subprocess.PIPE, bufsize=BUFFER_SIZE)
    except (OSError, ValueError) as error:
        raise KaldiError(f"Error opening output {name}: {_reason(error)}") from error
    pipe = process.stdin
    assert pipe is not None

    def wait() -> None:
        status = process.wait()
        if status:
            raise KaldiError(f"Pipe {name} failed with {_describe(status)}")

    return OutputStream(pipe, name, wait=wait)


def _describe(status: int) -> str:
    if status < 0:
        with contextlib.suppress(ValueError):
            return f"signal {signal.Signals(-status).name}"
    return f"status {status}"


def _output_file(path: str, name: str) -> OutputStream:
    target = os.path.realpath(path)
    mode: int | None = None
    with contextlib.suppress(FileNotFoundError):
        status = os.stat(path)
        if not stat.S_ISREG(status.st_mode):  # /dev/fd/63, a pipe, has no other name
            return OutputStream(open(path, "wb", BUFFER_SIZE), name)
        mode = stat.S_IMODE(status.st_mode)
        if not os.access(target, os.W_OK):
            raise PermissionError(13, "Permission denied")
    directory, base = os.path.split(target)
    temporary = os.path.join(directory, f".{base[:50]}.{os.getpid()}.{_serial()}.tmp")
    try:
        file = open(temporary, "xb", BUFFER_SIZE)  # noqa: SIM115 (the stream owns it)
    except PermissionError:
        if mode is None:
            raise
        return OutputStream(open(target, "wb", BUFFER_SIZE), name)  # a file we may write in a directory we may not

    def commit() -> None:
        if mode is not None:
            os.chmod(temporary, mode)
        os.replace(temporary, target)

    return OutputStream(file, name, commit=commit, abandon=lambda: os.unlink(temporary))


_count = 0


def _serial() -> int:
    global _count
    _count += 1
    return _count

"""Messages on stderr as Kaldi's programs write them (base/kaldi-error.cc): scripts parse these lines."""

from __future__ import annotations

import contextlib
import sys
from types import CodeType

VERSION = "0.1.0"

_program = ""
_verbose = 0


def set_program_name(name: str) -> None:
    """The name shown in every line; a command sets it to the last part of argv[0]."""
    global _program
    _program = name


def set_verbose(level: int) -> None:
    """``vlog`` messages up to this level are shown (option --verbose)."""
    global _verbose
    _verbose = level


def verbose() -> int:
    """The level set by ``set_verbose``."""
    return _verbose


def _emit(severity: str, message: str, depth: int) -> None:
    frame = sys._getframe(depth)
    _print(severity, message, _place(frame.f_code, frame.f_lineno))


def _place(code: CodeType, line: int) -> str:
    function = "main" if code.co_name == "<module>" else code.co_name
    return f"{function}():{code.co_filename.rpartition('/')[2]}:{line}"


def _print(severity: str, message: str, place: str) -> None:
    where = f"{_program}[{VERSION}]:{place}"
    with contextlib.suppress(OSError, ValueError, AttributeError):  # maybe nobody listens
        sys.stderr.write(f"{severity} ({where}) {message}\n")
        sys.stderr.flush()


def info(message: str, place: str | None = None) -> None:
    """LOG (program[version]:function():file:line) message

    ``place``: function, file and line in Kaldi's source, for those lines of which scripts parse these too.
    """
    if place is None:
        _emit("LOG", message, 2)
    else:
        _print("LOG", message, place)


def warning(message: str) -> None:
    """WARNING (...) message"""
    _emit("WARNING", message, 2)


def error(message: str) -> None:
    """ERROR (...) message; only prints. To fail, raise KaldiError."""
    _emit("ERROR", message, 2)


def error_from(exception: BaseException, message: str) -> None:
    """ERROR (...) message, placed where the exception was raised."""
    trace = exception.__traceback__
    if trace is None:
        _emit("ERROR", message, 2)
        return
    while trace.tb_next is not None:
        trace = trace.tb_next
    _print("ERROR", message, _place(trace.tb_frame.f_code, trace.tb_lineno))


def vlog(level: int, message: str) -> None:
    """VLOG[level] (...) message, when --verbose is at least ``level``."""
    if level <= _verbose:
        _emit(f"VLOG[{level}]", message, 2)


def time_taken(seconds: float, frames: int) -> str:
    """What programs say at their end, with the real-time factor where there were frames (of 10 ms)."""
    if not frames:
        return f"Time taken {seconds:g}s, for no frames"
    return f"Time taken {seconds:g}s: real-time factor assuming 100 frames/sec is {seconds * 100.0 / frames:g}"

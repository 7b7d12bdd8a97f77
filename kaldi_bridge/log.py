"""Messages on stderr as Kaldi's programs write them (base/kaldi-error.cc): scripts parse these lines."""

from __future__ import annotations

import sys

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
    function = frame.f_code.co_name
    if function == "<module>":
        function = "main"
    file = frame.f_code.co_filename.rpartition("/")[2]
    where = f"{_program}[{VERSION}]:{function}():{file}:{frame.f_lineno}"
    try:
        sys.stderr.write(f"{severity} ({where}) {message}\n")
        sys.stderr.flush()
    except (OSError, ValueError):
        pass  # nobody listens


def info(message: str) -> None:
    """LOG (program[version]:function():file:line) message"""
    _emit("LOG", message, 2)


def warning(message: str) -> None:
    """WARNING (...) message"""
    _emit("WARNING", message, 2)


def error(message: str) -> None:
    """ERROR (...) message; only prints. To fail, raise KaldiError."""
    _emit("ERROR", message, 2)


def vlog(level: int, message: str) -> None:
    """VLOG[level] (...) message, when --verbose is at least ``level``."""
    if level <= _verbose:
        _emit(f"VLOG[{level}]", message, 2)

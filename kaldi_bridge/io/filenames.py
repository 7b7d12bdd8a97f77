"""What kind of stream an extended filename means (util/kaldi-io.h), and how messages name it."""

from __future__ import annotations

import re

from kaldi_bridge.io.specifiers import parse_rspecifier, parse_wspecifier

_SHELL_SAFE = re.compile(r"[A-Za-z0-9\[\]~#^_\-+=:.,/]+")
_C_SPACE = " \t\n\r\f\v"


def quote(argument: str) -> str:
    """The argument as one would type it in the shell (ParseOptions::Escape)."""
    if _SHELL_SAFE.fullmatch(argument):
        return argument
    if "'" in argument and not any(c in argument for c in '"`$\\'):
        return f'"{argument}"'
    return "'" + argument.replace("'", "'\\''") + "'"


def printable_input(rxfilename: str) -> str:
    """How messages name an input."""
    return "standard input" if rxfilename in ("", "-") else quote(rxfilename)


def printable_output(wxfilename: str) -> str:
    """How messages name an output."""
    return "standard output" if wxfilename in ("", "-") else quote(wxfilename)


def _is_specifier(name: str) -> bool:
    """Whether it is "ark:x", "scp,t:x" or the like: where a filename belongs, a scripting error."""
    return name[0] in "as" and bool(parse_wspecifier(name) or parse_rspecifier(name))


def classify_input(rxfilename: str) -> str:
    """One of "stdin", "file", "offset", "pipe"; "none" for what Kaldi does not accept (ClassifyRxfilename)."""
    if rxfilename in ("", "-"):
        return "stdin"
    if rxfilename[0] == "|":
        return "none"
    if rxfilename[-1] == "|":
        return "pipe"
    if rxfilename[0] in _C_SPACE or rxfilename[-1] in _C_SPACE or _is_specifier(rxfilename):
        return "none"
    if re.search(r":[0-9]+\Z", rxfilename[1:]):
        return "offset"
    return "none" if "|" in rxfilename or "\0" in rxfilename else "file"


def classify_output(wxfilename: str) -> str:
    """One of "stdout", "file", "pipe"; "none" for what Kaldi does not accept (ClassifyWxfilename)."""
    if wxfilename in ("", "-"):
        return "stdout"
    if wxfilename[0] == "|":
        return "pipe"
    if wxfilename[0] in _C_SPACE or wxfilename[-1] in _C_SPACE or wxfilename[-1] == "|":
        return "none"
    if _is_specifier(wxfilename) or re.search(r":[0-9]+\Z", wxfilename[1:]):
        return "none"
    return "none" if "|" in wxfilename or "\0" in wxfilename else "file"

"""Rspecifiers and wspecifiers, which name tables (util/kaldi-table.h): "ark,s,cs:-", "ark,scp:feats.ark,feats.scp"."""

from __future__ import annotations

import re
from dataclasses import dataclass

_TOKEN = re.compile(r"[^\x00-\x20\x7f]+")
_C_SPACE = " \t\n\r\f\v"


@dataclass
class Rspecifier:
    """A table to read. ``kind``: "ark" or "scp"."""

    kind: str
    rxfilename: str
    once: bool = False
    sorted: bool = False
    called_sorted: bool = False
    permissive: bool = False
    background: bool = False


@dataclass
class Wspecifier:
    """A table to write: an archive, a script file of archive positions beside it, or files named by a script file."""

    archive: str | None
    script: str | None
    binary: bool = True
    flush: bool = False
    permissive: bool = False


_READ_OPTIONS = {
    "o": ("once", True),
    "no": ("once", False),
    "s": ("sorted", True),
    "ns": ("sorted", False),
    "cs": ("called_sorted", True),
    "ncs": ("called_sorted", False),
    "p": ("permissive", True),
    "np": ("permissive", False),
    "bg": ("background", True),
}
_WRITE_OPTIONS = {
    "b": ("binary", True),
    "t": ("binary", False),
    "f": ("flush", True),
    "nf": ("flush", False),
    "p": ("permissive", True),
}


def _split(specifier: str) -> tuple[list[str], str] | None:
    options, colon, filename = specifier.partition(":")
    if not colon or specifier[-1] in _C_SPACE:
        return None
    return re.split("[, ]", options), filename


def parse_rspecifier(rspecifier: str) -> Rspecifier | None:
    """Its parts, None when it is no rspecifier (ClassifyRspecifier)."""
    parts = _split(rspecifier)
    if parts is None:
        return None
    result = Rspecifier("", parts[1])
    for word in parts[0]:
        if word in ("ark", "scp"):
            if result.kind:
                return None
            result.kind = word
        elif word in _READ_OPTIONS:
            setattr(result, *_READ_OPTIONS[word])
        elif word not in ("b", "t"):  # allowed, so that one specifier can serve both ways
            return None
    return result if result.kind else None


def parse_wspecifier(wspecifier: str) -> Wspecifier | None:
    """Its parts, None when it is no wspecifier (ClassifyWspecifier)."""
    parts = _split(wspecifier)
    if parts is None:
        return None
    result = Wspecifier(None, None)
    kinds = []
    for word in parts[0]:
        if word in ("ark", "scp"):
            kinds.append(word)
        elif word in _WRITE_OPTIONS:
            setattr(result, *_WRITE_OPTIONS[word])
        else:
            return None
    if kinds == ["ark"]:
        result.archive = parts[1]
    elif kinds == ["scp"]:
        result.script = parts[1]
    elif kinds == ["ark", "scp"]:
        result.archive, comma, result.script = parts[1].partition(",")
        if not comma:
            return None
    else:
        return None
    return result


def is_token(word: str) -> bool:
    """Whether the word can be a key: not empty, printable, no white space."""
    usual = word.isascii() and word.isprintable() and " " not in word and word != ""
    return usual or _TOKEN.fullmatch(word) is not None

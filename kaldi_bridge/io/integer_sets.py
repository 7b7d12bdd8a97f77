"""Integers in plain text: lists on lines, lists with colons between, maps of phones."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.streams import open_input, open_output
from kaldi_bridge.io.text import encode, is_number, shown, words


def read_sets(rxfilename: str) -> list[list[int]]:
    """The integers of each line that is not empty. Raises KaldiError for anything else."""
    sets = []
    with open_input(rxfilename) as stream:
        while line := stream.readline():
            numbers = words(line)
            if not all(is_number(number) and len(number) < 10 for number in numbers):
                raise KaldiError(f"{stream.where()}: not a line of integers: {shown(line)}")
            if numbers:
                sets.append([int(number) for number in numbers])
    return sets


def read_integers(rxfilename: str) -> list[int]:
    """All integers of a file. Raises KaldiError for anything else in it."""
    return [number for numbers in read_sets(rxfilename) for number in numbers]


def write_integers(wxfilename: str, numbers: Iterable[int]) -> None:
    """One a line."""
    write_sets(wxfilename, [[number] for number in numbers])


def write_sets(wxfilename: str, sets: Iterable[Sequence[int]]) -> None:
    """One set a line."""
    with open_output(wxfilename) as stream:
        stream.write(encode("".join(" ".join(map(str, numbers)) + "\n" for numbers in sets)))


def split_integers(text: str, what: str) -> list[int]:
    """Of "1:2:3"; none of an empty text. Raises KaldiError that names ``what`` it was."""
    numbers = text.split(":") if text else []
    if not all(is_number(number) and len(number) < 10 for number in numbers):
        raise KaldiError(f"{what}={text} should be a colon-separated list of integers")
    return [int(number) for number in numbers]


def read_phone_map(rxfilename: str) -> dict[int, int]:
    """Lines of an old phone and a new one. Raises KaldiError."""
    pairs = read_sets(rxfilename)
    if not pairs or any(len(pair) != 2 or 0 in pair for pair in pairs) or len({old for old, _ in pairs}) < len(pairs):
        raise KaldiError(f"{rxfilename}: expected lines <old-phone> <new-phone>, each old phone once")
    return {old: new for old, new in pairs}

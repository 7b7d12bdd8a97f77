"""What sym2int.py and int2sym.py share: the symbol table, and the fields of a line that are to be replaced.

All in bytes: words are what stands between ASCII spaces, in whatever encoding.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterator
from typing import NamedTuple

Pairs = list[tuple[bytes, bytes]]


class Fields(NamedTuple):
    """Those from ``first`` to ``last``, counted from 0; None: to the end."""

    first: int = 0
    last: int | None = None

    @classmethod
    def parse(cls, text: str) -> Fields:
        """Of "2", "2-", "2-3", "-3" or "2:3". Raises ValueError."""
        match = re.fullmatch(r"([0-9]*)(?:([-:])([0-9]*))?", text)
        if match is None or text in ("", "-", ":"):
            raise ValueError(f"bad argument of -f: {text}")
        first = int(match[1]) - 1 if match[1] else 0
        if not match[2]:
            return cls(first, first)
        return cls(first, int(match[3]) - 1 if match[3] else None)

    def __contains__(self, position: object) -> bool:
        assert isinstance(position, int)
        return self.first <= position and (self.last is None or position <= self.last)


def read_table(path: str) -> Pairs:
    """Symbols and their numbers. Raises ValueError for a line of anything else."""
    pairs = []
    with open(path, "rb") as table:
        for line in table:
            entry = line.split()
            if len(entry) != 2:
                raise ValueError(f"bad line in symbol table file {path}: {ascii(os.fsdecode(line))}")
            pairs.append((entry[0], entry[1]))
    return pairs


def replaced(path: str | None, fields: Fields, replace: Callable[[bytes, int], bytes]) -> Iterator[list[bytes]]:
    """The words of each line of a file (None: of standard input), in the fields ``replace(word, position)`` instead."""
    with open(path if path is not None else 0, "rb") as text:
        for line in text:
            yield [replace(word, i) if i in fields else word for i, word in enumerate(line.split())]


def run(name: str, main: Callable[[], int]) -> int:
    """The exit status of a script, whose errors become messages."""
    try:
        return main()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # so that nothing complains at exit
    except (OSError, ValueError) as error:
        warn(name, os.fsencode(str(error)))
    return 1


def warn(name: str, message: bytes) -> None:
    sys.stdout.flush()
    sys.stderr.buffer.write(name.encode() + b": " + message + b"\n")
    sys.stderr.buffer.flush()

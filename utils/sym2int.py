#!/usr/bin/env python3
"""Turns symbols into integers, as Kaldi's sym2int.pl does.

sym2int.py [--map-oov <symbol>] [-f <field>|<first>-<last>|<first>-] <symbol-table> [<text>]
With --map-oov (a symbol or an integer), symbols that are not in the table become that one.
"""

from __future__ import annotations

import os
import sys

from symbol_fields import Fields, read_table, replaced, run, warn

MAX_WARNINGS = 20


def main(arguments: list[str]) -> int:
    fields, oov = Fields(), None
    while len(arguments) >= 2 and arguments[0] in ("-f", "--map-oov"):
        option, value, *arguments = arguments
        if option == "-f":
            fields = Fields.parse(value)
        else:
            oov = os.fsencode(value)
    if len(arguments) not in (1, 2):
        print(__doc__, file=sys.stderr)
        return 1
    numbers = dict(read_table(arguments[0]))
    if oov is not None and not oov.isdigit():
        if oov not in numbers:
            raise ValueError(f"--map-oov {os.fsdecode(oov)} is not in {arguments[0]}")
        oov = numbers[oov]
    unknown = 0

    def number(symbol: bytes, position: int) -> bytes:
        nonlocal unknown
        if symbol in numbers:
            return numbers[symbol]
        if oov is None:
            raise ValueError(f"undefined symbol {os.fsdecode(symbol)} (in position {position + 1})")
        unknown += 1
        if unknown <= MAX_WARNINGS:
            warn("sym2int.py", b"replacing " + symbol + b" with " + oov)
        return oov

    for words in replaced(arguments[1] if len(arguments) == 2 else None, fields, number):
        sys.stdout.buffer.write(b" ".join(words) + b"\n")
    sys.stdout.flush()
    if unknown:
        warn("sym2int.py", b"%d symbols were not in the table and were replaced" % unknown)
    return 0


if __name__ == "__main__":
    sys.exit(run("sym2int.py", lambda: main(sys.argv[1:])))

#!/usr/bin/env python3
"""Turns integers into symbols, as Kaldi's int2sym.pl does.

int2sym.py [-f <field>|<first>-<last>|<first>-] <symbol-table> [<text>]
"""

from __future__ import annotations

import os
import sys

from symbol_fields import Fields, read_table, replaced, run


def main(arguments: list[str]) -> int:
    fields = Fields()
    if len(arguments) >= 2 and arguments[0] == "-f":
        fields = Fields.parse(arguments[1])
        arguments = arguments[2:]
    if len(arguments) not in (1, 2):
        print(__doc__, file=sys.stderr)
        return 1
    symbols = {number: symbol for symbol, number in read_table(arguments[0])}

    def symbol(number: bytes, position: int) -> bytes:
        if number not in symbols:
            raise ValueError(f"undefined symbol {os.fsdecode(number)} (in position {position + 1})")
        return symbols[number]

    for words in replaced(arguments[1] if len(arguments) == 2 else None, fields, symbol):
        sys.stdout.buffer.write(b"".join(word + b" " for word in words) + b"\n")  # a space after the last too
    sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(run("int2sym.py", lambda: main(sys.argv[1:])))

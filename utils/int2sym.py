#!/usr/bin/env python3
"""Turns integers into symbols, as Kaldi's int2sym.pl does.

int2sym.py [-f <field>|<first>-<last>|<first>-] <symbol-table> [<text>]
"""

from __future__ import annotations

import sys


def main(arguments: list[str]) -> int:
    first, last = 1, None
    if len(arguments) >= 2 and arguments[0] == "-f":
        field = arguments[1]
        start, dash, end = field.partition("-")
        if not start.isdigit() or (end and not end.isdigit()):
            print(f"int2sym.py: bad argument of -f: {field}", file=sys.stderr)
            return 1
        first = int(start)
        last = (int(end) if end else None) if dash else first
        arguments = arguments[2:]
    if len(arguments) not in (1, 2):
        print(__doc__, file=sys.stderr)
        return 1
    try:
        with open(arguments[0], encoding="utf-8") as table:
            symbols = {fields[1]: fields[0] for fields in map(str.split, table) if len(fields) == 2}
        text = open(arguments[1], encoding="utf-8") if len(arguments) == 2 else sys.stdin  # noqa: SIM115
        for line in text:
            words = line.split()
            for i in range(first - 1, min(last or len(words), len(words))):
                if words[i] not in symbols:
                    print(f"int2sym.py: undefined symbol {words[i]} (in position {i + 1})", file=sys.stderr)
                    return 1
                words[i] = symbols[words[i]]
            print(*words, "")  # a space after the last word too, as int2sym.pl has it
        sys.stdout.flush()
    except BrokenPipeError:
        sys.stderr.close()
        return 1
    except OSError as error:
        print(f"int2sym.py: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

#!/usr/bin/env python3
"""Turns symbols into integers, as Kaldi's sym2int.pl does.

sym2int.py [--map-oov <symbol>] [-f <field>|<first>-<last>|<first>-] <symbol-table> [<text>]
With --map-oov (a symbol or an integer), symbols that are not in the table become that one.
"""

from __future__ import annotations

import sys


def main(arguments: list[str]) -> int:
    first, last, oov = 1, None, None
    while len(arguments) >= 2 and arguments[0] in ("-f", "--map-oov"):
        option, value, *arguments = arguments
        if option == "--map-oov":
            oov = value
            continue
        start, dash, end = value.partition("-")
        if not start.isdigit() or (end and not end.isdigit()):
            print(f"sym2int.py: bad argument of -f: {value}", file=sys.stderr)
            return 1
        first = int(start)
        last = (int(end) if end else None) if dash else first
    if len(arguments) not in (1, 2):
        print(__doc__, file=sys.stderr)
        return 1
    try:
        with open(arguments[0], encoding="utf-8") as table:
            numbers = {fields[0]: fields[1] for fields in map(str.split, table) if len(fields) == 2}
        if oov is not None and not oov.isdigit():
            if oov not in numbers:
                print(f"sym2int.py: --map-oov {oov} is not in {arguments[0]}", file=sys.stderr)
                return 1
            oov = numbers[oov]
        text = open(arguments[1], encoding="utf-8") if len(arguments) == 2 else sys.stdin  # noqa: SIM115
        unknown = 0
        for line in text:
            words = line.split()
            for i in range(first - 1, min(last or len(words), len(words))):
                if words[i] not in numbers:
                    if oov is None:
                        print(f"sym2int.py: undefined symbol {words[i]} (in position {i + 1})", file=sys.stderr)
                        return 1
                    unknown += 1
                    if unknown <= 20:
                        print(f"sym2int.py: replacing {words[i]} with {oov}", file=sys.stderr)
                    words[i] = oov
                else:
                    words[i] = numbers[words[i]]
            print(*words)
        sys.stdout.flush()
    except BrokenPipeError:
        sys.stderr.close()
        return 1
    except OSError as error:
        print(f"sym2int.py: {error}", file=sys.stderr)
        return 1
    if unknown:
        print(f"sym2int.py: {unknown} symbols were not in the table and were replaced", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

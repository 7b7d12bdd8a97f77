#!/usr/bin/env python3
"""Keeps the best line of `grep WER dir/wer_*`, with the file that it came from, as Kaldi's best_wer.sh does.

grep -H WER exp/decode/wer_* | best_wer.py
"""

from __future__ import annotations

import re
import sys


def main() -> int:
    best: tuple[float, bytes] | None = None
    for line in sys.stdin.buffer:
        match = re.match(rb"(?:(.*?):)?\s*(%WER\s+(\S+).*)", line)
        if not match:
            continue
        rate = float(match[3])
        if best is None or rate < best[0]:
            best = (rate, b"%s %s" % (match[2], match[1] or b""))
    if best is None:
        print("best_wer.py: no line with %WER on the standard input", file=sys.stderr)
        return 1
    sys.stdout.buffer.write(best[1].rstrip() + b"\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

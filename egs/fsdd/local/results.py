#!/usr/bin/env python3
"""Word error rates of decode directories, with 95 % bootstrap intervals, as Markdown.

    results.py <text> <decode-dir> [<decode-dir> ...] > RESULTS.md

Directories whose systems differ by their seed only (name_0, name_1, ...) are also given as their mean.
"""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from pathlib import Path

import kaldialign


def read(path: Path) -> dict[str, list[str]]:
    lines = (line.split() for line in path.read_text(encoding="utf-8").splitlines())
    return {words[0]: words[1:] for words in lines if words}


def interval(text: dict[str, list[str]], decode: Path) -> tuple[str, float, float, float]:
    """Kaldi's line of the best weight and penalty; its word error rate, and the ends of the interval, in percent."""
    line = (decode / "scoring_kaldi/best_wer").read_text(encoding="utf-8").strip()
    match = re.search(r"wer_(\d+)_([\d.]+)$", line)
    if match is None:
        raise SystemExit(f"results.py: {decode}/scoring_kaldi/best_wer is not of score.sh: {line!r}")
    weight, penalty = match.groups()
    said = read(decode / f"scoring_kaldi/penalty_{penalty}/{weight}.txt")
    keys = [key for key in sorted(text) if key in said]
    found = kaldialign.bootstrap_wer_ci([text[key] for key in keys], [said[key] for key in keys])
    return line.split(" exp/")[0], float(line.split()[1]), 100 * found["ci95min"], 100 * found["ci95max"]


def main(arguments: list[str]) -> int:
    if len(arguments) < 2:
        print(__doc__, file=sys.stderr)
        return 1
    text = read(Path(arguments[0]))
    words = sum(map(len, text.values()))
    print(
        f"Word error rates on {len(text)} utterances, {words} words; 95 % intervals by bootstrapping over utterances.\n"
    )
    print("| system | WER | 95 % interval | errors |\n|---|---|---|---|")
    rates = defaultdict(list)
    for decode in map(Path, arguments[1:]):
        line, rate, low, high = interval(text, decode)
        system = decode.parent.name
        rates[re.sub(r"_\d+$", "", system)].append(rate)
        errors = re.search(r"\[ (.*?) \]", line)
        print(f"| {system} | {rate:.2f} % | {low:.1f} to {high:.1f} | {errors.group(1) if errors else ''} |")
    for name, values in rates.items():
        if len(values) > 1:
            spread = f"{min(values):.2f} to {max(values):.2f} over {len(values)} seeds"
            print(f"| {name}, mean | {sum(values) / len(values):.2f} % | {spread} | |")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

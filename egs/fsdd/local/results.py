#!/usr/bin/env python3
"""Word error rates of decode directories and of hypotheses, with 95 % bootstrap intervals, as Markdown.

    results.py <text> <decode-dir|file> [...] > RESULTS.md

Of a decode directory it is the best of score.sh's weights and penalties; a file has lines "utterance words". Systems
that differ by their seed only (name_0, name_1, ...) are also given as their mean.
"""

from __future__ import annotations

import re
import sys
from collections import Counter, defaultdict
from pathlib import Path

import kaldialign


def read(path: Path) -> dict[str, list[str]]:
    lines = (line.split() for line in path.read_text(encoding="utf-8").splitlines())
    return {words[0]: words[1:] for words in lines if words}


def best(decode: Path) -> dict[str, list[str]]:
    """What was found with the best weight and penalty."""
    line = (decode / "scoring_kaldi/best_wer").read_text(encoding="utf-8").strip()
    match = re.search(r"wer_(\d+)_([\d.]+)$", line)
    if match is None:
        raise SystemExit(f"results.py: {decode}/scoring_kaldi/best_wer is not of score.sh: {line!r}")
    weight, penalty = match.groups()
    return read(decode / f"scoring_kaldi/penalty_{penalty}/{weight}.txt")


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
    for path in map(Path, arguments[1:]):
        system, said = (path.parent.name, best(path)) if path.is_dir() else (path.name, read(path))
        pairs = [(spoken, said.get(key, [])) for key, spoken in sorted(text.items())]
        errors = Counter()
        for pair in pairs:
            errors.update(kaldialign.edit_distance(*pair))
        rate = 100 * errors["total"] / words
        rates[re.sub(r"_\d+$", "", system)].append(rate)
        found = kaldialign.bootstrap_wer_ci([pair[0] for pair in pairs], [pair[1] for pair in pairs])
        interval = f"{100 * found['ci95min']:.1f} to {100 * found['ci95max']:.1f}"
        counts = f"{errors['total']} / {words}, {errors['ins']} ins, {errors['del']} del, {errors['sub']} sub"
        print(f"| {system} | {rate:.2f} % | {interval} | {counts} |")
    for name, values in rates.items():
        if len(values) > 1:
            spread = f"{min(values):.2f} to {max(values):.2f} over {len(values)} seeds"
            print(f"| {name}, mean | {sum(values) / len(values):.2f} % | {spread} | |")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

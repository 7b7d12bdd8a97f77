#!/usr/bin/env python3
"""Word error rates of decode directories and of hypotheses, with 95 % bootstrap intervals, as Markdown.

    results.py [--gap <worse>,<better>] [--against <name>,...] <text> [<system>=]<decode-dir|file> [...] > RESULTS.md

Of a decode directory it is the best of score.sh's weights and penalties; a file has lines "utterance words". Systems
that differ by their seed only (name_0, name_1, ...) are also given as their mean; with --gap, also how far this is on
the way from the mean of one system to that of another; with --against, all are, and in how many of 100 draws of the
utterances each has fewer errors than each of these systems.
"""

from __future__ import annotations

import argparse
import re
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import kaldialign
import numpy as np

DRAWS = 10000


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


def draws(count: int) -> np.ndarray:
    """[draws, utterances]: how often each is in one, when they are drawn again and again (M. Bisani, H. Ney, "Bootstrap
    estimates for confidence intervals in ASR performance evaluation", ICASSP 2004); the same for all systems."""
    return np.random.default_rng(0).multinomial(count, np.full(count, 1 / count), DRAWS)


def interval(errors: Sequence[float], lengths: Sequence[int]) -> str:
    """With the mean errors over seeds, that of their mean."""
    drawn = draws(len(lengths))
    low, high = np.percentile(100 * (drawn @ np.array(errors)) / (drawn @ np.array(lengths)), [2.5, 97.5])
    return f"{low:.1f} to {high:.1f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gap", default="")
    parser.add_argument("--against", default="")
    parser.add_argument("text", type=Path)
    parser.add_argument("systems", nargs="+")
    arguments = parser.parse_args()
    text = read(arguments.text)
    lengths = [len(words) for words in text.values()]
    print(f"Word error rates on {len(text)} utterances, {sum(lengths)} words; ", end="")
    print("95 % intervals by bootstrapping over utterances.\n")
    print("| system | WER | 95 % interval | errors |\n|---|---|---|---|")
    seeds = defaultdict(list)  # of each system, the errors of utterances
    for name, _, place in (argument.rpartition("=") for argument in arguments.systems):
        path = Path(place)
        system, said = (path.parent.name, best(path)) if path.is_dir() else (path.name, read(path))
        system = name or system
        found = [kaldialign.edit_distance(words, said.get(key, [])) for key, words in text.items()]
        errors = [each["total"] for each in found]
        seeds[re.sub(r"_\d+$", "", system)].append(errors)
        ins, deleted, sub = (sum(each[kind] for each in found) for kind in ("ins", "del", "sub"))
        counts = f"{sum(errors)} / {sum(lengths)}, {ins} ins, {deleted} del, {sub} sub"
        print(f"| {system} | {rate(errors, lengths):.2f} % | {interval(errors, lengths)} | {counts} |")
    against = [name for name in arguments.against.split(",") if name]
    if unknown := sorted({*against, *arguments.gap.split(",")} - {"", *seeds}):
        raise SystemExit(f"results.py: there is no system {unknown[0]}: there are {', '.join(seeds)}")
    compared = {system: found for system, found in seeds.items() if against or len(found) > 1}
    if compared:
        print_means(compared, lengths, arguments.gap, against)


def rate(errors: Sequence[float], lengths: Sequence[int]) -> float:
    return 100 * float(sum(errors)) / sum(lengths)


def wins(errors: np.ndarray, others: np.ndarray) -> str:
    """Of 100 draws of the utterances, those with fewer errors than others make; of draws with as many, half."""
    gained = draws(len(errors)) @ (others - errors)
    return f"{100 * float(np.mean((gained > 1e-9) + 0.5 * (abs(gained) <= 1e-9))):.0f}"


def print_means(seeds: dict[str, list[list[int]]], lengths: list[int], gap: str, against: list[str]) -> None:
    errors = {system: np.mean(found, axis=0) for system, found in seeds.items()}
    means = {system: rate(found, lengths) for system, found in errors.items()}
    columns = ["of the gap"] * bool(gap) + [f"better than {name}, of 100" for name in against]
    print("\n| mean over seeds | WER | 95 % interval | single ones |" + "".join(f" {column} |" for column in columns))
    print("|---|---|---|---|" + "---|" * len(columns))
    for system, found in seeds.items():
        single = [rate(each, lengths) for each in found]
        if gap:
            worse, better = (means[name] for name in gap.split(","))
            columns = [f"{100 * (worse - means[system]) / (worse - better):.0f} %"]
        else:
            columns = []
        columns += ["" if name == system else wins(errors[system], errors[name]) for name in against]
        spread = f"{min(single):.2f} to {max(single):.2f}, {len(single)} seeds" if len(single) > 1 else "one"
        print(
            f"| {system} | {means[system]:.2f} % | {interval(errors[system], lengths)} | {spread} |"
            + "".join(f" {c} |" for c in columns)
        )


if __name__ == "__main__":
    main()

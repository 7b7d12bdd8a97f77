#!/usr/bin/env python3
"""Makes a dictionary directory of a lexicon such as librispeech-lexicon.txt, as Kaldi's local/prepare_dict.sh does.

    prepare_dict.py <lexicon> <dict-dir>

A line of <lexicon>: a word and its phones, whose digits are stress. Phones that differ by stress only share a tree
root, and extra questions tell them apart.
"""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from pathlib import Path

SPECIAL = {"!SIL": "SIL", "<SPOKEN_NOISE>": "SPN", "<UNK>": "SPN"}
SILENCES = ["SIL", "SPN"]


def main(arguments: list[str]) -> int:
    if len(arguments) != 2:
        print(__doc__, file=sys.stderr)
        return 1
    lexicon, out = Path(arguments[0]), Path(arguments[1])
    entries = {(word, phone) for word, phone in SPECIAL.items()}
    phones = set()
    for number, line in enumerate(lexicon.read_text(encoding="utf-8").splitlines(), 1):
        word, *said = line.split()
        if not said:
            print(f"prepare_dict.py: {lexicon}:{number}: {word} has no phones", file=sys.stderr)
            return 1
        if word not in SPECIAL:
            entries.add((word, " ".join(said)))
            phones.update(said)
    phones -= set(SILENCES)
    # As in Kaldi's, the phone without stress belongs to the set even where no word has it.
    phones |= {re.sub(r"\d", "", phone) for phone in phones}

    bases, stresses = defaultdict(list), defaultdict(list)
    for phone in sorted(phones):
        base, stress = re.fullmatch(r"(\D+)(\d*)", phone).groups()
        bases[base].append(phone)
        stresses[stress].append(phone)
    out.mkdir(parents=True, exist_ok=True)
    write(out / "lexicon.txt", [f"{word} {said}" for word, said in sorted(entries)])
    write(out / "silence_phones.txt", SILENCES)
    write(out / "optional_silence.txt", ["SIL"])
    write(out / "nonsilence_phones.txt", [" ".join(alike) for _, alike in sorted(bases.items())])
    write(
        out / "extra_questions.txt", [" ".join(SILENCES)] + [" ".join(alike) for _, alike in sorted(stresses.items())]
    )
    return 0


def write(path: Path, lines: list[str]) -> None:
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

#!/usr/bin/env python3
"""From lines of an utterance and its speaker to lines of a speaker and its utterances: Kaldi's utt2spk_to_spk2utt.pl.

utt2spk_to_spk2utt.py [<utt2spk>]      reads standard input where no file is named
"""

from __future__ import annotations

import sys


def main(arguments: list[str]) -> int:
    if len(arguments) > 1:
        print(__doc__, file=sys.stderr)
        return 1
    try:
        with open(arguments[0] if arguments else 0, "rb") as file:
            lines = [line.split() for line in file if line.strip()]
    except OSError as error:
        print(f"utt2spk_to_spk2utt.py: {error}", file=sys.stderr)
        return 1
    speakers: dict[bytes, list[bytes]] = {}
    for number, words in enumerate(lines, 1):
        if len(words) != 2:
            print(f"utt2spk_to_spk2utt.py: line {number} is not an utterance and a speaker", file=sys.stderr)
            return 1
        speakers.setdefault(words[1], []).append(words[0])
    sys.stdout.buffer.writelines(b" ".join([speaker, *speakers[speaker]]) + b"\n" for speaker in speakers)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

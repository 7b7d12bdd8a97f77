#!/usr/bin/env python3
"""From lines of a speaker and its utterances to lines of an utterance and its speaker: Kaldi's spk2utt_to_utt2spk.pl.

spk2utt_to_utt2spk.py [<spk2utt>]      reads standard input where no file is named
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
        print(f"spk2utt_to_utt2spk.py: {error}", file=sys.stderr)
        return 1
    for number, words in enumerate(lines, 1):
        if len(words) < 2:
            print(f"spk2utt_to_utt2spk.py: line {number} is not a speaker and utterances", file=sys.stderr)
            return 1
        sys.stdout.buffer.writelines(utterance + b" " + words[0] + b"\n" for utterance in words[1:])
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

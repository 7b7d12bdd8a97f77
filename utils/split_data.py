#!/usr/bin/env python3
"""Splits a Kaldi data directory into consecutive parts of nearly equal numbers of utterances.

    split_data.py <data-dir> <number of parts>      makes <data-dir>/split<N>utt/<1..N>/

Kaldi's split_data.sh --per-utt does the same; a speaker's cmvn.scp line goes to every part that the speaker is in.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

PER_UTTERANCE = (
    "utt2spk",
    "feats.scp",
    "text",
    "wav.scp",
    "segments",
    "utt2num_frames",
    "utt2dur",
    "vad.scp",
)
PER_SPEAKER = ("cmvn.scp",)


def read_table(path: Path) -> dict[str, str]:
    with open(path, encoding="utf-8") as lines:
        return {line.split(maxsplit=1)[0]: line for line in lines if line.strip()}


def main(arguments: list[str]) -> int:
    if len(arguments) != 2 or not arguments[1].isdigit() or int(arguments[1]) < 1:
        print(__doc__, file=sys.stderr)
        return 1
    data, parts = Path(arguments[0]), int(arguments[1])
    if not (data / "utt2spk").is_file():
        print(f"split_data.py: no such file {data / 'utt2spk'}", file=sys.stderr)
        return 1
    speakers = {utterance: line.split()[1] for utterance, line in read_table(data / "utt2spk").items()}
    utterances = list(speakers)
    if len(utterances) < parts:
        print(
            f"split_data.py: {data} has {len(utterances)} utterances, fewer than {parts} parts",
            file=sys.stderr,
        )
        return 1
    tables = {name: read_table(data / name) for name in PER_UTTERANCE + PER_SPEAKER if (data / name).is_file()}
    if "segments" in tables:  # wav.scp then goes by recording: every part keeps it whole
        recordings = tables.pop("wav.scp", {})
    for part in range(parts):
        mine = utterances[part * len(utterances) // parts : (part + 1) * len(utterances) // parts]
        mine_speakers = list(dict.fromkeys(speakers[u] for u in mine))
        target = data / f"split{parts}utt" / str(part + 1)
        target.mkdir(parents=True, exist_ok=True)
        contents = {
            name: [t[k] for k in (mine_speakers if name in PER_SPEAKER else mine) if k in t]
            for name, t in tables.items()
        }
        contents["spk2utt"] = [f"{s} {' '.join(u for u in mine if speakers[u] == s)}\n" for s in mine_speakers]
        if "segments" in tables:
            contents["wav.scp"] = list(recordings.values())
        for name, lines in contents.items():
            temporary = target / f".{name}.{os.getpid()}"
            temporary.write_text("".join(lines), encoding="utf-8")
            temporary.replace(target / name)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

#!/usr/bin/env python3
"""Makes a Kaldi data directory of digit strings.

    prepare_data.py <corpus> <data-dir> [train|test]

<corpus> is either a Kaldi-style directory (text, utt2spk and wav.scp, whose relative paths are relative to it or to the
folder above it) or one with folders train and test like that, or a clone of the free spoken digit dataset
(recordings/<digit>_<speaker>_<n>.wav), whose single digits are joined into strings: those of four speakers to train
on, of two others to test on (the default).
"""

from __future__ import annotations

import random
import sys
import wave
from collections import defaultdict
from pathlib import Path

DIGITS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
SPEAKERS = {"train": ("george", "jackson", "lucas", "nicolas"), "test": ("theo", "yweweler")}
MAX_DIGITS = 7


def fail(message: str) -> int:
    print(f"prepare_data.py: {message}", file=sys.stderr)
    return 1


def write(path: Path, lines: list[str]) -> None:
    path.write_text("".join(f"{line}\n" for line in sorted(lines)), encoding="utf-8")


def from_kaldi(corpus: Path, data: Path) -> int:
    wav_lines = []
    for line in (corpus / "wav.scp").read_text(encoding="utf-8").splitlines():
        key, _, source = line.strip().partition(" ")
        if not source.endswith("|") and not Path(source).is_absolute():
            found = [folder / source for folder in (corpus, corpus.parent) if (folder / source).is_file()]
            if not found:
                return fail(f"{corpus}/wav.scp: no such file {source}")
            source = str(found[0].resolve())
        wav_lines.append(f"{key} {source}")
    for name in ("text", "utt2spk"):
        write(data / name, (corpus / name).read_text(encoding="utf-8").splitlines())
    write(data / "wav.scp", wav_lines)
    return 0


def from_recordings(recordings: Path, data: Path, part: str) -> int:
    """Each recording is said once, in strings of one to seven digits."""
    by_speaker: dict[str, list[Path]] = defaultdict(list)
    for path in sorted(recordings.glob("*_*_*.wav")):
        by_speaker[path.stem.split("_")[1]].append(path)
    text, utt2spk, wav_lines = [], [], []
    (data / "wav").mkdir(parents=True, exist_ok=True)
    for speaker in SPEAKERS[part]:
        if not by_speaker[speaker]:
            return fail(f"{recordings} has no recordings of {speaker}")
        choose = random.Random(speaker)
        left = by_speaker[speaker]
        choose.shuffle(left)
        number = 0
        while left:
            length = choose.randint(1, MAX_DIGITS)
            chosen, left = left[:length], left[length:]
            utterance = f"{speaker}-{number:03}"
            target = (data / "wav" / f"{utterance}.wav").resolve()
            join(chosen, target)
            text.append(f"{utterance} {' '.join(DIGITS[int(p.stem.split('_')[0])] for p in chosen)}")
            utt2spk.append(f"{utterance} {speaker}")
            wav_lines.append(f"{utterance} {target}")
            number += 1
    write(data / "text", text)
    write(data / "utt2spk", utt2spk)
    write(data / "wav.scp", wav_lines)
    return 0


def join(sources: list[Path], target: Path) -> None:
    with wave.open(str(target), "wb") as out:
        for i, source in enumerate(sources):
            with wave.open(str(source), "rb") as part:
                if i == 0:
                    out.setparams(part.getparams())
                    pause = bytes(2 * (part.getframerate() // 10))  # a tenth of a second of silence
                out.writeframes(part.readframes(part.getnframes()) + pause)


def write_spk2utt(data: Path) -> None:
    speakers: dict[str, list[str]] = defaultdict(list)
    for line in (data / "utt2spk").read_text(encoding="utf-8").splitlines():
        utterance, speaker = line.split()
        speakers[speaker].append(utterance)
    write(data / "spk2utt", [f"{speaker} {' '.join(u)}" for speaker, u in speakers.items()])


def main(arguments: list[str]) -> int:
    part = arguments[2] if len(arguments) == 3 else "test"
    if len(arguments) not in (2, 3) or part not in SPEAKERS:
        print(__doc__, file=sys.stderr)
        return 1
    corpus, data = Path(arguments[0]), Path(arguments[1])
    data.mkdir(parents=True, exist_ok=True)
    for folder in (corpus / part, corpus):
        if all((folder / name).is_file() for name in ("text", "utt2spk", "wav.scp")):
            status = from_kaldi(folder, data)
            break
    else:
        if not (corpus / "recordings").is_dir():
            return fail(
                f"{corpus} has neither text, utt2spk and wav.scp (or a folder {part} with them) nor recordings/"
            )
        status = from_recordings(corpus / "recordings", data, part)
    if status == 0:
        write_spk2utt(data)
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

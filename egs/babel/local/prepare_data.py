#!/usr/bin/env python3
"""Makes a Kaldi data directory of a folder of the BABEL program, as Kaldi's prepare_acoustic_training_data.pl does.

    prepare_data.py [--list FILE] [--vocabulary LEXICON] [--oov WORD] [--fragment-markers CHARACTERS]
                    [--max-utterances N] [--whole] <folder> <data-dir>

<folder> has audio/<name>.sph (or .wav) and transcription/<name>.txt, where a line [seconds] stands before and after
each utterance. Noises become <v-noise> and <noise>, long silence <silence>, and what nobody could write down, or is not
in the vocabulary even without the fragment markers at its ends, the OOV word. Utterances of nothing else are left out,
but for --whole. The caller's side (inLine, scripted) is speaker A, the other one (outLine) B.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.text import words
from kaldi_bridge.io.text_files import read_lines, read_text, write_rows, write_text

MARK = re.compile(r"\s*\[([0-9]+\.*[0-9]*)\]\s*")
LEFT_OUT = {"<sta>", "<male-to-female>", "<female-to-male>", "~"}
NOISES = dict.fromkeys(("<lipsmack>", "<breath>", "<cough>", "<laugh>"), "<v-noise>")
NOISES |= dict.fromkeys(("<click>", "<ring>", "<dtmf>", "<int>"), "<noise>")
NOISES["<no-speech>"] = "<silence>"
UNWRITTEN = {"(())", "<foreign>", "<overlap>", "<prompt>"}
SPHERE_PIPE = "sph2pipe -f wav -p -c 1"


class Words:
    """What words of transcripts become."""

    def __init__(self, vocabulary: set[str], oov: str, markers: str) -> None:
        self.vocabulary, self.oov, self.markers = vocabulary, oov, markers
        self.unknown: Counter[str] = Counter()

    def of(self, line: str) -> list[str]:
        return [self._word(word) for word in words(line) if word not in LEFT_OUT]

    def says_something(self, text: list[str]) -> bool:
        return bool(set(text) - {self.oov, *NOISES.values()})

    def _word(self, word: str) -> str:
        if word in NOISES:
            return NOISES[word]
        if word in UNWRITTEN:
            self.unknown[word] += 1
            return self.oov
        if not self.vocabulary or word in self.vocabulary:
            return word
        shorter = word
        while len(shorter) > 1 and shorter not in self.vocabulary:
            if shorter[-1] in self.markers:
                shorter = shorter[:-1]
            elif shorter[0] in self.markers:
                shorter = shorter[1:]
            else:
                break
        if shorter in self.vocabulary:
            return shorter
        self.unknown[shorter] += 1
        return self.oov


def utterances(path: Path) -> Iterator[tuple[float, float, str]]:
    """(start, end, text) of each piece between two marks. Raises ValueError where time goes back."""
    start, text = -1.0, ""
    for line in read_text(path).split("\n"):
        match = MARK.fullmatch(line)
        if match is None:
            text = line if words(line) else text
            continue
        end = float(match[1])
        if end < start:
            raise ValueError(f"{path}: an utterance from {start:g} to {end:g}: mend it or remove the file")
        if start >= 0:
            yield start, end, text
        start, text = end, ""


def names(recording: str, start: float) -> tuple[str, str]:
    """(utterance, speaker) of BABEL_OP3_404_10019_20141101_1919_inLine: 10019_A_20141101_1919_<start>, 10019_A."""
    name = re.sub(r"^[^_]+_[^_]+_[^_]+_", "", recording)
    name = re.sub(r"([^_]+)_(.+)_(inLine|scripted)", r"\1_A_\2", name, count=1)
    name = re.sub(r"([^_]+)_(.+)_outLine", r"\1_B_\2", name, count=1)
    speaker = re.search(r"([^_]+_[AB])", name)
    return f"{name}_{int(100 * start):06}", speaker[1] if speaker else recording


def source(folder: Path, recording: str) -> str | None:
    """What wav.scp says of it; None: there is no such file."""
    for suffix in ("sph", "wav"):
        path = folder.resolve() / "audio" / f"{recording}.{suffix}"
        if path.is_file():
            return f"{SPHERE_PIPE} {path} |" if suffix == "sph" else str(path)
    return None


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--list", type=Path)
    parser.add_argument("--vocabulary", type=Path)
    parser.add_argument("--oov", default="<unk>")
    parser.add_argument("--fragment-markers", default="")
    parser.add_argument("--max-utterances", type=int, default=0)
    parser.add_argument("--whole", action="store_true")
    parser.add_argument("folder", type=Path)
    parser.add_argument("data", type=Path)
    options = parser.parse_args(arguments)
    if not (options.folder / "transcription").is_dir():
        return fail(f"{options.folder} has no folder transcription/")
    chosen = {key for key, _ in read_lines(options.list)} if options.list else None
    vocabulary = {key for key, _ in read_lines(options.vocabulary)} if options.vocabulary else set()
    spoken = Words(vocabulary, options.oov, options.fragment_markers)
    text, speakers, segments, recordings = {}, {}, {}, {}
    empty = silent = 0
    for path in sorted((options.folder / "transcription").glob("*.txt")):
        if chosen is not None and path.stem not in chosen:
            continue
        audio = source(options.folder, path.stem)
        if audio is None:
            silent += 1
            print(f"prepare_data.py: there is no audio/{path.stem}.sph or .wav; left out", file=sys.stderr)
            continue
        try:
            pieces = list(utterances(path))
        except ValueError as error:
            return fail(str(error))
        for start, end, line in pieces:
            said = spoken.of(line)
            utterance, speaker = names(path.stem, start)
            if not said or utterance in text or not (options.whole or spoken.says_something(said)):
                empty += 1
            elif not options.max_utterances or len(text) < options.max_utterances:
                text[utterance], speakers[utterance] = " ".join(said), speaker
                segments[utterance] = f"{path.stem} {start:g} {end:g}"
                recordings[path.stem] = audio
    if not text:
        return fail(f"{options.folder} has no utterances that can be used" + (", of those listed" if chosen else ""))
    options.data.mkdir(parents=True, exist_ok=True)
    for name, rows in (("text", text), ("utt2spk", speakers), ("segments", segments), ("wav.scp", recordings)):
        write_rows(options.data / name, rows)
    by_speaker: dict[str, list[str]] = {}
    for utterance in sorted(text, key=str.encode):
        by_speaker.setdefault(speakers[utterance], []).append(utterance)
    write_rows(options.data / "spk2utt", {speaker: " ".join(those) for speaker, those in by_speaker.items()})
    counts = sorted(spoken.unknown.items(), key=lambda item: (-item[1], item[0]))
    write_text(options.data / "oov_counts", "".join(f"{word}\t{count}\n" for word, count in counts))
    print(
        f"prepare_data.py: {len(text)} utterances of {len(by_speaker)} speakers in {len(recordings)} recordings; "
        f"{empty} without words and {silent} recordings without audio are left out",
        file=sys.stderr,
    )
    return 0


def fail(message: str) -> int:
    print(f"prepare_data.py: {message}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KaldiError as error:
        sys.exit(fail(str(error)))

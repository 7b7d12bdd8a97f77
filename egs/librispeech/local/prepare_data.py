#!/usr/bin/env python3
"""Makes a Kaldi data directory of parts of a corpus that is laid out as LibriSpeech is.

    prepare_data.py [--max-utterances N] [--no-text] [--pipes] [--exclude FILE] <corpus> <data-dir> <part> ...

<corpus>/<part>/ has, at any depth, <speaker>-<chapter>.trans.txt and beside it <speaker>-<chapter>-<n>.flac; <corpus>
may also be the folder that LibriSpeech/ is in. Chapters are taken as speakers, as in Kaldi's recipe. The recordings are
decoded once, into the archive wav.ark; with --pipes, wav.scp has Kaldi's pipes instead, which need the program flac.
Utterances that --exclude's lines begin with are left out.
"""

from __future__ import annotations

import argparse
import shlex
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import soundfile

from kaldi_bridge.io.wave import Wave
from kaldi_bridge.tables import TableWriter
from kaldi_bridge.tables.holders import WAVE


def fail(message: str) -> int:
    print(f"prepare_data.py: {message}", file=sys.stderr)
    return 1


def recordings(folder: Path) -> Iterator[tuple[str, Path]]:
    """Utterances and their recordings, also of corpora without transcripts."""
    return ((path.stem, path) for path in folder.rglob("*.flac"))


def transcripts(folder: Path) -> dict[str, str]:
    text = {}
    for path in folder.rglob("*.trans.txt"):
        for line in path.read_text(encoding="utf-8").splitlines():
            utterance, _, words = line.strip().partition(" ")
            text[utterance] = words
    return text


def read_flac(path: Path) -> Wave:
    samples, rate = soundfile.read(path, dtype="int16", always_2d=True)
    return Wave(float(rate), samples.T.astype("float32"))


def write_audio(data: Path, sources: dict[str, Path]) -> list[str]:
    """Writes wav.ark and wav.scp; the utterances whose recordings cannot be read."""
    bad = []
    archive = data.resolve() / "wav.ark"
    with TableWriter(f"ark,scp:{archive},{data}/wav.scp", WAVE) as writer:
        for utterance, path in sources.items():
            try:
                wave = read_flac(path)
            except soundfile.LibsndfileError as error:
                print(f"prepare_data.py: {path} cannot be read ({error}); left out", file=sys.stderr)
                bad.append(utterance)
            else:
                writer.write(utterance, wave)
    return bad


def write(path: Path, rows: dict[str, str]) -> None:
    path.write_text("".join(f"{key} {value}\n" for key, value in sorted(rows.items())), encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--max-utterances", type=int, default=0)
    parser.add_argument("--no-text", action="store_true")
    parser.add_argument("--pipes", action="store_true")
    parser.add_argument("--exclude", type=Path)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("data", type=Path)
    parser.add_argument("parts", nargs="+")
    options = parser.parse_args()

    sources: dict[str, Path] = {}
    text: dict[str, str] = {}
    for part in options.parts:
        folders = [
            folder for folder in (options.corpus / part, options.corpus / "LibriSpeech" / part) if folder.is_dir()
        ]
        if not folders:
            return fail(f"{options.corpus} has neither {part}/ nor LibriSpeech/{part}/")
        sources.update(recordings(folders[0]))
        text.update(transcripts(folders[0]))
    if options.exclude:
        for line in options.exclude.read_text(encoding="utf-8").splitlines():
            sources.pop(line.split()[0], None)
    silent = 0
    if not options.no_text:
        silent = len(sources.keys() - text.keys())
        sources = {utterance: path for utterance, path in sources.items() if utterance in text}
    if not sources:
        what = "" if options.no_text else " with a transcript"
        return fail(f"{options.corpus}: no .flac file{what} in {' '.join(options.parts)}")
    if silent:
        print(f"prepare_data.py: {silent} recordings have no transcript; left out", file=sys.stderr)
    chosen = dict(sorted(sources.items())[: options.max_utterances or None])

    options.data.mkdir(parents=True, exist_ok=True)
    if options.pipes:
        write(
            options.data / "wav.scp",
            {u: f"flac -c -d -s {shlex.quote(str(path.resolve()))} |" for u, path in chosen.items()},
        )
    else:
        for utterance in write_audio(options.data, chosen):
            del chosen[utterance]
    if not chosen:
        return fail("no recording could be read")
    speakers: dict[str, list[str]] = defaultdict(list)
    for utterance in chosen:
        speakers[utterance.rpartition("-")[0] or utterance].append(utterance)
    write(options.data / "utt2spk", {u: speaker for speaker, said in speakers.items() for u in said})
    write(options.data / "spk2utt", {speaker: " ".join(said) for speaker, said in speakers.items()})
    if not options.no_text:
        write(options.data / "text", {utterance: text[utterance] for utterance in chosen})
    print(f"prepare_data.py: {len(chosen)} utterances of {len(speakers)} speakers in {options.data}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""Decodes the recordings of a data directory with Vosk, and prints lines "utterance words".

decode_vosk.py <vosk-folder> <data-dir> > hypotheses
"""

from __future__ import annotations

import json
import sys
import wave
from pathlib import Path

import vosk

SAMPLES = 4000  # that are handed over at a time, as from a microphone


def words(model: vosk.Model, path: str) -> str:
    with wave.open(path, "rb") as recording:
        recognizer = vosk.KaldiRecognizer(model, recording.getframerate())
        said = []
        while samples := recording.readframes(SAMPLES):
            if recognizer.AcceptWaveform(samples):
                said.append(json.loads(recognizer.Result())["text"])
        said.append(json.loads(recognizer.FinalResult())["text"])
    return " ".join(part for part in said if part)


def main(arguments: list[str]) -> int:
    if len(arguments) != 2:
        print(__doc__, file=sys.stderr)
        return 1
    vosk.SetLogLevel(-1)
    model = vosk.Model(arguments[0])
    for line in (Path(arguments[1]) / "wav.scp").read_text(encoding="utf-8").splitlines():
        utterance, path = line.split(None, 1)
        print(utterance, words(model, path))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Decoding with Kaldi's own runtime, in the vosk wheel."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

# A process of its own for each model: the features are dithered with numbers that go on from utterance to utterance.
DECODE = """
import json, sys, wave
from pathlib import Path
import vosk

vosk.SetLogLevel(-1)
model = vosk.Model(sys.argv[1])
found = {}
for line in open(sys.argv[2] + "/test/wav.scp"):
    key, path = line.split()
    with wave.open(sys.argv[2] + "/" + path) as f:
        data = f.readframes(f.getnframes())
    recognizer = vosk.KaldiRecognizer(model, 8000)
    texts = [json.loads(recognizer.Result())["text"]] if recognizer.AcceptWaveform(data) else []
    texts.append(json.loads(recognizer.FinalResult())["text"])
    found[key] = " ".join(t for t in texts if t)
print(json.dumps(found))
"""

# Everything that Vosk says of recordings, by name: [kind of result, result], as pieces of ``size`` samples come in.
LISTEN = """
import json, sys, wave
import vosk

vosk.SetLogLevel(-1)
model = vosk.Model(sys.argv[1])
size, alternatives, partial_words = map(int, sys.argv[2:5])
found = {}
speaker = [vosk.SpkModel(sys.argv[6])] if sys.argv[6] else []
for path in sys.argv[7:]:
    with wave.open(path) as f:
        recognizer = vosk.KaldiRecognizer(model, f.getframerate(), *([sys.argv[5]] if sys.argv[5] else speaker))
        recognizer.SetWords(True)
        recognizer.SetMaxAlternatives(alternatives)
        recognizer.SetPartialWords(bool(partial_words))
        said = found[path] = []
        while data := f.readframes(size):
            if recognizer.AcceptWaveform(data):
                said.append(["result", json.loads(recognizer.Result())])
            else:
                said.append(["partial", json.loads(recognizer.PartialResult())])
        said.append(["final", json.loads(recognizer.FinalResult())])
print(json.dumps(list(found.values())))
"""
Said = list[tuple[str, dict[str, Any]]]


def listen(
    folder: Path,
    recordings: list[Path],
    size: int,
    alternatives: int = 0,
    partial_words: bool = False,
    grammar: Sequence[str] = (),
    speaker: Path | None = None,
) -> list[Said]:
    """What Vosk says of each recording, in pieces of ``size`` samples; skips where there is no Vosk.

    ``speaker``: the folder of a model of speakers, where there is no grammar.
    """
    pytest.importorskip("vosk")
    phrases = json.dumps(list(grammar)) if grammar else ""
    settings = [str(folder), str(size), str(alternatives), str(int(partial_words)), phrases, str(speaker or "")]
    command = [sys.executable, "-c", LISTEN, *settings, *map(str, recordings)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1])


def decode(folder: Path, corpus: Path) -> dict[str, str]:
    """What is in the recordings of the digits' test set, by utterance; skips where there is no Vosk."""
    pytest.importorskip("vosk")
    command = [sys.executable, "-c", DECODE, str(folder), str(corpus / "fsdd")]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1])

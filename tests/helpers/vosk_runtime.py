"""Decoding with Kaldi's own runtime, in the vosk wheel."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

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


def decode(folder: Path, corpus: Path) -> dict[str, str]:
    """What is in the recordings of the digits' test set, by utterance; skips where there is no Vosk."""
    pytest.importorskip("vosk")
    command = [sys.executable, "-c", DECODE, str(folder), str(corpus / "fsdd")]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1])

"""Recognizer beside vosk.KaldiRecognizer: processors' time and memory for the same recordings, a process for each.

    bench/recognition.py [MODEL RECORDING...]

MODEL is a folder for Vosk, by default that of the digits beside the checkout; recordings are wave files of one channel.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

SHARED = Path(os.environ.get("NNET_PYTORCH_SHARED", Path(__file__).parents[2] / "shared"))
SIZE = 4000  # samples that are handed over at a time
HEAD = "import os, resource, sys, time, wave\n"
OURS = """
from nnet3_compat import Model, Recognizer
model = Model(sys.argv[1])
make, accept, result, final = lambda rate: Recognizer(model, rate, words=True), "accept", "result", "final"
"""
VOSK = """
import vosk
vosk.SetLogLevel(-2)
model = vosk.Model(sys.argv[1])
def make(rate):
    made = vosk.KaldiRecognizer(model, rate)
    made.SetWords(True)
    return made
accept, result, final = "AcceptWaveform", "Result", "FinalResult"
"""
LISTEN = """
begun, seconds = sum(os.times()[:2]), 0.0
for path in sys.argv[3:]:
    with wave.open(path) as f:
        recognizer = make(f.getframerate())
        seconds += f.getnframes() / f.getframerate()
        while data := f.readframes(int(sys.argv[2])):
            if getattr(recognizer, accept)(data):
                getattr(recognizer, result)()
        getattr(recognizer, final)()
used = sum(os.times()[:2])
print(begun, used - begun, seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def measure(program: str, model: str, recordings: list[str]) -> list[float]:
    """Processors' seconds for the start and for the speech, seconds of speech, and the most MB of memory."""
    command = [sys.executable, "-c", HEAD + program + LISTEN, model, str(SIZE), *recordings]
    said = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
    return [float(word) for word in said.splitlines()[-1].split()]


def main(arguments: list[str]) -> None:
    if not arguments:
        waves = sorted((SHARED / "corpus/fsdd/test/wav").glob("*.wav"))[:60]
        arguments = [str(SHARED / "reference/fsdd/vosk"), *map(str, waves)]
    model, *recordings = arguments
    if not recordings:
        print("no recordings beside this checkout")
        return
    programs = {"ours": OURS} | ({"vosk": VOSK} if importlib.util.find_spec("vosk") else {})
    print(f"{'recognizing':<12}{'cpu-s start':>14}{'cpu-s':>10}{'cpu-s per s':>14}{'MB':>8}")
    for name, program in programs.items():
        start, used, seconds, megabytes = measure(program, model, recordings)
        print(f"{name:<12}{start:14.2f}{used:10.2f}{used / seconds:14.3f}{megabytes:8.0f}")


if __name__ == "__main__":
    main(sys.argv[1:])

#!/usr/bin/env python3
"""Decodes the recordings of a data directory with Vosk, and prints lines "utterance words".

decode_vosk.py <vosk-folder> <data-dir> > hypotheses
"""

from __future__ import annotations

import json
import sys

import numpy as np
import vosk

from kaldi_bridge.io.wave import Wave
from kaldi_bridge.tables import SequentialReader
from kaldi_bridge.tables.holders import WAVE

SAMPLES = 4000  # that are handed over at a time, as from a microphone


def words(model: vosk.Model, wave: Wave) -> str:
    recognizer = vosk.KaldiRecognizer(model, wave.sample_frequency)
    samples, said = wave.data[0].astype(np.int16), []
    for begin in range(0, len(samples), SAMPLES):
        if recognizer.AcceptWaveform(samples[begin : begin + SAMPLES].tobytes()):
            said.append(json.loads(recognizer.Result())["text"])
    said.append(json.loads(recognizer.FinalResult())["text"])
    return " ".join(part for part in said if part)


def main(arguments: list[str]) -> int:
    if len(arguments) != 2:
        print(__doc__, file=sys.stderr)
        return 1
    vosk.SetLogLevel(-1)
    model = vosk.Model(arguments[0])
    with SequentialReader(f"scp:{arguments[1]}/wav.scp", WAVE) as recordings:
        for utterance, wave in recordings:
            print(utterance, words(model, wave))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

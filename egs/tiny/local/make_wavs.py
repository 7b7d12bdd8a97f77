#!/usr/bin/env python3
"""Synthesizes strings of spoken digits with espeak-ng, at 8 kHz, as a Kaldi data directory.

    make_wavs.py train|test <data-dir>

The voices of train and test differ. Beside text, utt2spk and wav.scp goes `digits`: for each utterance the sample at
which each digit starts and ends, for whoever wants to train on it. Needs espeak-ng and sox.
"""

from __future__ import annotations

import random
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

RATE = 8000
DIGITS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
VOICES = {
    "train": ["en-us", "en-us+m1", "en-us+m2", "en-us+m4", "en-us+f1", "en-us+f2", "en-us+f4", "en-us+m7"],
    "test": ["en-us+m3", "en-us+f3"],
}
STRINGS_PER_VOICE = {"train": 30, "test": 8}


def synthesize(voice: str, word: str, speed: int) -> np.ndarray:
    """One word, 16-bit samples, without the silence around it."""
    with tempfile.TemporaryDirectory() as folder:
        raw = Path(folder, "word.wav")
        subprocess.run(["espeak-ng", "-v", voice, "-s", str(speed), "-w", str(raw), word], check=True)
        sox = ["sox", str(raw), "-t", "raw", "-r", str(RATE), "-b", "16", "-e", "signed", "-c", "1", "-"]
        samples = np.frombuffer(subprocess.run(sox, check=True, capture_output=True).stdout, dtype=np.int16)
    loud = np.flatnonzero(np.abs(samples.astype(np.int32)) > 200)
    return samples[loud[0] : loud[-1] + 1]


def write_wav(path: Path, samples: np.ndarray) -> None:
    import wave

    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes(samples.astype("<i2").tobytes())


def main(arguments: list[str]) -> int:
    if len(arguments) != 2 or arguments[0] not in VOICES:
        print(__doc__, file=sys.stderr)
        return 1
    part, data = arguments[0], Path(arguments[1])
    (data / "wav").mkdir(parents=True, exist_ok=True)
    choose = random.Random(part)
    noise = np.random.default_rng(len(part))
    lines: dict[str, list[str]] = {"text": [], "utt2spk": [], "wav.scp": [], "digits": []}
    for voice in VOICES[part]:
        speaker = voice.replace("+", "-")
        words = {(d, speed): synthesize(voice, d, speed) for d in DIGITS for speed in (130, 160)}
        for number in range(STRINGS_PER_VOICE[part]):
            utterance = f"{speaker}-{number:02}"
            digits = [choose.choice(DIGITS) for _ in range(choose.randint(2, 4))]
            samples = [np.zeros(RATE * choose.randint(10, 25) // 100)]
            times = []
            for digit in digits:
                word = words[digit, choose.choice((130, 160))]
                start = sum(map(len, samples))
                times.append(f"{start},{start + len(word)}")
                samples += [word, np.zeros(RATE * choose.randint(4, 20) // 100)]
            signal = np.concatenate(samples)
            write_wav(data / "wav" / f"{utterance}.wav", signal + noise.normal(0, 20, len(signal)))
            lines["text"].append(f"{utterance} {' '.join(digits)}")
            lines["utt2spk"].append(f"{utterance} {speaker}")
            lines["wav.scp"].append(f"{utterance} wav/{utterance}.wav")
            lines["digits"].append(f"{utterance} {' '.join(times)}")
    for name, content in lines.items():
        (data / name).write_text("".join(f"{line}\n" for line in sorted(content)), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Voices that differ in pitch and resonances, and what recipes for speakers add to them: noises, music, rooms."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tests.helpers.kaldi_recipes import write_wave
from tests.helpers.made_up_sound import sound, sounds_of

NOISE_RATE = 16000  # of MUSAN and of the rooms


class Voice:
    """A speaker: some sounds, in whose pitch and resonances the speakers differ."""

    def __init__(self, random: np.random.Generator, rate: int) -> None:
        pitch, size = random.uniform(80.0, 240.0), random.uniform(0.75, 1.35)
        self.random = random
        self.sounds = [
            sound(((first * size, second * size), seconds), rate, pitch * random.uniform(0.9, 1.1), random)
            for (first, second), seconds in sounds_of([str(number) for number in range(12)]).values()
        ]

    def speak(self, seconds: float) -> np.ndarray:
        """int16 samples of these sounds in a random order."""
        count = int(seconds / 0.10)  # of sounds_of's length
        pieces = [self.sounds[index] for index in self.random.integers(len(self.sounds), size=count)]
        return np.concatenate(pieces).astype(np.int16)


def make_musan(folder: Path, random: np.random.Generator) -> None:
    """MUSAN's three kinds of noise, ``<kind>/free/<recording>.wav``, with the annotations of its music."""
    for kind in ("speech", "noise", "music"):
        place = folder / kind / "free"
        place.mkdir(parents=True)
        recordings = [f"{kind}-free-{number:04}" for number in range(8)]
        for recording in recordings:
            if kind == "speech":
                samples = Voice(random, NOISE_RATE).speak(4.0)
            else:
                samples = random.normal(0.0, 2000.0, 4 * NOISE_RATE).astype(np.int16)
            write_wave(place / f"{recording}.wav", samples, NOISE_RATE)
        if kind == "music":
            (place / "ANNOTATIONS").write_text("".join(f"{recording} pop Y someone\n" for recording in recordings))


def make_rooms(folder: Path) -> None:
    """Impulse responses of two kinds of rooms, and their lists."""
    random = np.random.default_rng(1)
    for kind, seconds in (("smallroom", 0.1), ("mediumroom", 0.2)):
        lines = []
        for room in range(1, 4):
            path = folder / kind / f"Room{room:03}" / f"Room{room:03}-00001.wav"
            path.parent.mkdir(parents=True)
            time = np.arange(int(0.4 * NOISE_RATE)) / NOISE_RATE
            response = random.normal(0.0, 1500.0, len(time)) * np.exp(-time / seconds * 3.0)
            response[20] = 20000.0
            write_wave(path, response.astype(np.int16), NOISE_RATE)
            lines.append(f"--rir-id {kind}-{room} --room-id {kind}-{room} {path.relative_to(folder.parents[1])}\n")
        (folder / kind / "rir_list").write_text("".join(lines))

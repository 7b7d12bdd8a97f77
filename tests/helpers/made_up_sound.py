"""Speech of a kind: sounds with resonances, as vowels have them, of which tests make recordings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np

Sound: TypeAlias = tuple[tuple[float, float], float]  # frequencies of two resonances in Hz, seconds


def sounds_of(phones: Sequence[str]) -> dict[str, Sound]:
    """A sound for each phone, unlike the others: resonances on a grid of distances that the ear hears as equal."""
    return {
        phone: ((250.0 * 1.35 ** (number % 5), 1000.0 * 1.3 ** (number // 5 + number % 5 / 5.0)), 0.10)
        for number, phone in enumerate(phones)
    }


def speech(
    words: Sequence[Sequence[Sound]],
    rate: int,
    pitch: float,
    random: np.random.Generator,
    pauses: Sequence[float] = (0.0, 0.1),
) -> np.ndarray:
    """int16 samples of words, each a sequence of sounds, with a pause of one of these lengths (s) after each."""
    pieces = [noise(0.08, rate, random)]
    for word in words:
        for formants, seconds in word:
            pieces.append(sound((formants, seconds * random.uniform(0.8, 1.2)), rate, pitch, random))
        pieces.append(noise(random.choice(pauses), rate, random))
    pieces.append(noise(0.08, rate, random))
    return np.concatenate(pieces).astype(np.int16)


def noise(seconds: float, rate: int, random: np.random.Generator) -> np.ndarray:
    """Faint, as between words."""
    return random.normal(0.0, 25.0, int(seconds * rate))


def sound(kind: Sound, rate: int, pitch: float, random: np.random.Generator) -> np.ndarray:
    """A buzz of ``pitch`` Hz, louder near the resonances."""
    formants, seconds = kind
    time = np.arange(int(seconds * rate)) / rate
    frequencies = pitch * np.arange(1, int(0.49 * rate / pitch))
    gains = 0.01 + sum(np.exp(-0.5 * ((frequencies - formant) / 120.0) ** 2) for formant in formants)
    phases = random.uniform(0, 2 * np.pi, len(frequencies))
    signal = gains @ np.sin(2 * np.pi * np.outer(frequencies, time) + phases[:, None])
    envelope = np.minimum(1.0, np.minimum(time, time[::-1]) / 0.02)
    return 1500.0 * signal * envelope + noise(seconds, rate, random)[: len(time)]

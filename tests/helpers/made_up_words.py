"""English words of CMUdict's phones, spoken by speakers who are made up: what corpora of tests consist of."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tests.helpers.made_up_sound import Sound, speech

RATE = 16000
SOUNDS: dict[str, Sound] = {
    "AA": ((700.0, 1200.0), 0.12),
    "IY": ((280.0, 2300.0), 0.11),
    "UW": ((320.0, 850.0), 0.12),
    "EH": ((550.0, 1800.0), 0.11),
    "S": ((5200.0, 6500.0), 0.10),
    "SH": ((2600.0, 3800.0), 0.10),
    "M": ((250.0, 1000.0), 0.08),
    "L": ((400.0, 1400.0), 0.08),
}
LEXICON = {
    "SEE": "S IY1",
    "SHE": "SH IY1",
    "ME": "M IY1",
    "LEE": "L IY0",
    "LESS": "L EH1 S",
    "MESH": "M EH1 SH",
    "MOO": "M UW1",
    "SHOE": "SH UW1",
    "LOSS": "L AA1 S",
    "MALL": "M AA1 L",
    "EASE": "IY1 S",
    "OOZE": "UW0 S",
}


class Speaker:
    """Someone whose pitch, and the size of whose mouth, are their own."""

    def __init__(self, random: np.random.Generator) -> None:
        self._random = random
        self._pitch, self._size = random.uniform(90.0, 220.0), random.uniform(0.92, 1.08)

    def sentence(self, count: int) -> tuple[list[str], np.ndarray]:
        """So many words and their recording, int16 samples at RATE."""
        words = self._random.choice(list(LEXICON), count).tolist()
        return words, speech([self._sounds(word) for word in words], RATE, self._pitch, self._random)

    def _sounds(self, word: str) -> Sequence[Sound]:
        """The sounds of a word, whose resonances are higher where the size is more than 1."""
        sounds = [SOUNDS[phone.rstrip("01")] for phone in LEXICON[word].split()]
        return [((first * self._size, second * self._size), seconds) for (first, second), seconds in sounds]

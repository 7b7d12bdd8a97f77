"""A corpus of made-up words in the layout of mini LibriSpeech: FLAC files, transcripts, a lexicon, language models.

Kaldi's recipe asks for 500 utterances to train with, and for 10 chapters ("speakers") to test with, one for each job.
Most utterances are one word; the others are long enough for the chunks that its network is trained on.
"""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import soundfile

from kaldi_bridge.lang.ngram_estimation import estimate
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
LONG = 6  # words in an utterance that the network can be trained on
PARTS = {
    "train-clean-5": (26, 17, 3),
    "dev-clean-2": (10, 1, 2),
}  # chapters; utterances of one and of many words in each


def make_corpus(folder: Path, seed: int = 0) -> None:
    """``LibriSpeech/<part>/<reader>/<chapter>``, SPEAKERS.TXT, marks that nothing need be downloaded; ``lm``.

    ``lm`` holds what the recipe's local/download_lm.sh leaves in data/local/lm.
    """
    random = np.random.default_rng(seed)
    readers, sentences = [], []
    for number, (part, sizes) in enumerate(PARTS.items(), 1):
        chapters, short, long = sizes
        for reader in range(1000 * number, 1000 * number + chapters):
            readers.append(f"{reader} | {'MF'[reader % 2]} | {part} | 1.00 | Reader {reader}\n")
            counts = [1] * short + [LONG] * long
            sentences += _write_chapter(folder / "LibriSpeech" / part / str(reader) / f"{reader + 7}", counts, random)
        (folder / "LibriSpeech" / part / ".complete").touch()
    (folder / "LibriSpeech/SPEAKERS.TXT").write_text("".join(readers))
    _write_language_models(folder / "lm", sentences)


def _write_chapter(chapter: Path, counts: list[int], random: np.random.Generator) -> list[list[str]]:
    """Recordings of so many words each by a new speaker; returns what is said."""
    chapter.mkdir(parents=True)
    pitch, size = random.uniform(90.0, 220.0), random.uniform(0.92, 1.08)
    name, sentences = f"{chapter.parent.name}-{chapter.name}", []
    with open(chapter / f"{name}.trans.txt", "w") as transcripts:
        for number, count in enumerate(counts):
            sentence = random.choice(list(LEXICON), count).tolist()
            samples = speech([_scaled(word, size) for word in sentence], RATE, pitch, random)
            soundfile.write(chapter / f"{name}-{number:04}.flac", samples, RATE)
            transcripts.write(f"{name}-{number:04} {' '.join(sentence)}\n")
            sentences.append(sentence)
    return sentences


def _scaled(word: str, size: float) -> list[Sound]:
    """The sounds of a word by a speaker of this size, whose resonances are higher where it is more than 1."""
    sounds = [SOUNDS[phone.rstrip("01")] for phone in LEXICON[word].split()]
    return [((first * size, second * size), seconds) for (first, second), seconds in sounds]


def _write_language_models(folder: Path, sentences: list[list[str]]) -> None:
    folder.mkdir(parents=True)
    (folder / "librispeech-lexicon.txt").write_text("".join(f"{w}\t{p}\n" for w, p in LEXICON.items()))
    (folder / "librispeech-vocab.txt").write_text("".join(f"{word}\n" for word in LEXICON))
    for name, order in (("tgsmall", 2), ("tgmed", 3), ("tglarge", 3)):
        with gzip.open(folder / f"lm_{name}.arpa.gz", "wt") as file:
            file.writelines(f"{line}\n" for line in estimate(sentences, order, set(LEXICON)).arpa_lines())

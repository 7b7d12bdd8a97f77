"""A corpus of made-up words in the layout of LibriSpeech: FLAC files, transcripts, a lexicon, language models.

Most utterances are one word; the others are long enough for the chunks that networks are trained on. Kaldi's recipe for
mini LibriSpeech asks for 500 utterances to train with, and for 10 chapters ("speakers") to test with, one for each job.
"""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import soundfile

from kaldi_bridge.lang.ngram_estimation import estimate
from tests.helpers.made_up_words import LEXICON, RATE, Speaker

LONG = 6  # words in an utterance that the network can be trained on
MINI = {"train-clean-5": (26, 17, 3), "dev-clean-2": (10, 1, 2)}


def make_corpus(folder: Path, parts: Mapping[str, tuple[int, int, int]] = MINI, seed: int = 0) -> None:
    """``LibriSpeech/<part>/<reader>/<chapter>``, SPEAKERS.TXT, marks that nothing need be downloaded; ``lm``.

    ``lm`` holds what the recipe's local/download_lm.sh leaves in data/local/lm. ``parts`` gives the number of chapters,
    and of utterances of one and of many words in each.
    """
    random = np.random.default_rng(seed)
    readers, sentences = [], []
    for number, (part, sizes) in enumerate(parts.items(), 1):
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
    speaker = Speaker(random)
    name, sentences = f"{chapter.parent.name}-{chapter.name}", []
    with open(chapter / f"{name}.trans.txt", "w") as transcripts:
        for number, count in enumerate(counts):
            sentence, samples = speaker.sentence(count)
            soundfile.write(chapter / f"{name}-{number:04}.flac", samples, RATE)
            transcripts.write(f"{name}-{number:04} {' '.join(sentence)}\n")
            sentences.append(sentence)
    return sentences


def _write_language_models(folder: Path, sentences: list[list[str]]) -> None:
    folder.mkdir(parents=True)
    (folder / "librispeech-lexicon.txt").write_text("".join(f"{w}\t{p}\n" for w, p in LEXICON.items()))
    (folder / "librispeech-vocab.txt").write_text("".join(f"{word}\n" for word in LEXICON))
    for name, order in (("tgsmall", 2), ("tgmed", 3), ("tglarge", 3), ("fglarge", 4)):
        with gzip.open(folder / f"lm_{name}.arpa.gz", "wt") as file:
            file.writelines(f"{line}\n" for line in estimate(sentences, order, set(LEXICON)).arpa_lines())

"""Sentences of a made-up language, in which words like to follow some others."""

from __future__ import annotations

import random
from pathlib import Path

SYLLABLES = ["ba", "de", "fi", "go", "ku", "la", "me", "ni", "po", "ru", "sa", "ti"]


def write_text(folder: Path, sentences: int = 3000, words: int = 500) -> None:
    """words.txt, text/train.txt, and text/dev.txt of a tenth as many sentences."""
    chance = random.Random(1)
    names: list[str] = []
    while len(names) < words:
        name = "".join(chance.choice(SYLLABLES) for _ in range(chance.choice([1, 2, 2, 3])))
        if name not in names:
            names.append(name)
    often = [1.0 / place for place in range(1, words + 1)]
    after = {name: chance.sample(names, 4) for name in names}

    def sentence() -> str:
        made = chance.choices(names, often)
        for _ in range(chance.choice([1, 3, 5, 8, 12])):
            made.append(chance.choice(after[made[-1]]) if chance.random() < 0.7 else chance.choices(names, often)[0])
        return " ".join(made) + "\n"

    every = ["<eps>", "<unk>", *names, "#0", "<s>", "</s>", "<brk>"]
    (folder / "words.txt").write_text("".join(f"{name} {number}\n" for number, name in enumerate(every)))
    (folder / "text").mkdir()
    for name, count in (("train", sentences), ("dev", sentences // 10)):
        (folder / f"text/{name}.txt").write_text("".join(sentence() for _ in range(count)))

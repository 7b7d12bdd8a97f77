"""What Kaldi's programs made of the sentences and words in kaldi/: ``python make_outputs.py``, with them on the PATH.

Kept are two language models, and the beginning of the SHA-256 of all outputs.
"""

from __future__ import annotations

import hashlib
import json
import random
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parent / "kaldi"
VOCABULARY = 40
SIZES = "--num-chunks-per-minibatch=4 --chunk-length=8 --min-split-context=1"
CALLS = {
    "sampling.lm": "rnnlm-get-sampling-lm --vocab-size=40 --unigram-factor=8 text.int",
    "sampling.txt": "rnnlm-get-sampling-lm --binary=false --vocab-size=40 --unigram-factor=8 text.int",
    "bigrams.txt": "rnnlm-get-sampling-lm --binary=false --vocab-size=40 --unigram-factor=5 --ngram-order=2 text.int",
    "unigrams.txt": "rnnlm-get-sampling-lm --binary=false --vocab-size=40 --unigram-power=1 --ngram-order=1 text.int",
    "sampling.arpa": "rnnlm-get-sampling-lm --unigram-factor=8 --bos-factor=2 text.int words.txt",
    "order4.arpa": "rnnlm-get-sampling-lm --unigram-factor=9 --backoff-factor=1.5 --discounting-constant=0.9 "
    "--ngram-order=4 text.int words.txt",
    "plain.egs": f"rnnlm-get-egs --vocab-size=40 {SIZES} text.int",
    "buffer.egs": f"rnnlm-get-egs --vocab-size=40 {SIZES} --srand=7 --chunk-buffer-size=20 text.int",
    "sampled.egs": f"rnnlm-get-egs {SIZES} --num-threads=0 --num-samples=14 sampling.lm text.int",
    "groups.egs": f"rnnlm-get-egs {SIZES} --num-threads=0 --num-samples=20 --sample-group-size=4 --srand=3 "
    "--uniform-prob-mass=0 --special-symbol-prob=0.1 sampling.lm text.int",
    "arpa.egs": f"rnnlm-get-egs {SIZES} --num-threads=0 --num-samples=14 --sample-group-size=1 words.txt sampling.arpa "
    "text.int",
    "few.egs": f"rnnlm-get-egs {SIZES} --num-threads=0 sampling.lm text.int",
}
KEPT = ("sampling.lm", "sampling.arpa")
"""The files themselves."""


def sentences() -> list[str]:
    """Of words that like to follow some others."""
    chance = random.Random(1)
    words = list(range(5, VOCABULARY))
    often = [1.0 / place for place in range(1, len(words) + 1)]
    after = {word: chance.sample(words, 3) for word in words}
    lines = []
    for _ in range(150):
        sentence: list[int] = []
        for _ in range(chance.choice([0, 1, 2, 3, 5, 8, 30])):
            follow = sentence and chance.random() < 0.6
            sentence.append(chance.choice(after[sentence[-1]]) if follow else chance.choices(words, often)[0])
        lines.append(" ".join([chance.choice(["1.0", "0.5", "2.0", "0.3"]), *map(str, sentence)]))
    return lines


def write_inputs(folder: Path) -> None:
    (folder / "text.int").write_text("".join(f"{line}\n" for line in sentences()))
    names = {0: "<eps>", 1: "<s>", 2: "</s>", 3: "<brk>", 4: "<unk>"}
    (folder / "words.txt").write_text("".join(f"{names.get(i, f'w{i}')} {i}\n" for i in range(VOCABULARY)))


def command(name: str) -> tuple[str, list[str]]:
    """The program, and its arguments before the output."""
    program, *arguments = CALLS[name].split()
    return program, [*arguments, f"ark:{name}" if name.endswith("egs") else name]


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    write_inputs(FOLDER)
    sums = {}
    for name in CALLS:
        program, arguments = command(name)
        subprocess.run([program, *arguments], cwd=FOLDER, check=True, stderr=sys.stderr)
        sums[name] = hashlib.sha256((FOLDER / name).read_bytes()).hexdigest()[:16]
        if name not in KEPT:
            (FOLDER / name).unlink()
    (FOLDER / "sums.json").write_text(json.dumps(sums, indent=1) + "\n")

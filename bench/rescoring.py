"""Composition and rescoring of lattices beside Kaldi's programs: with other lattices, FSTs and n-gram models.

The lattices are those of bench/lattices.py, some 7 MB; the models are made up: bigrams, and trigrams with as many
n-grams as a pruned model of LibriSpeech has for these words.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from arpa import write_model
from beside_kaldi import compare
from lattices import random_lattice

from kaldi_bridge.lattices.lattice_files import COMPACT_LATTICE
from kaldi_bridge.lattices.paths import best_path
from kaldi_bridge.tables import TableWriter

LATTICES, VOCABULARY = 40, 5000
BEGIN, END, BACKOFF = VOCABULARY + 1, VOCABULARY + 2, VOCABULARY + 3
COMMANDS = {
    "arpa-to-const-arpa": f"{{0}}arpa-to-const-arpa --bos-symbol={BEGIN} --eos-symbol={END} tri.int made.carpa",
    "compose with an FST": "{0}lattice-compose ark:lats bi.words.fst ark:/dev/null",
    "compose, backing off": f"{{0}}lattice-compose --phi-label={BACKOFF} ark:lats tri.phi.fst ark:/dev/null",
    "interp with themselves": "{0}lattice-interp ark:lats ark:lats ark:/dev/null",
    "determinize": "{0}lattice-determinize ark:lats ark:/dev/null",
    "union with others": "{0}lattice-union ark:lats ark:others ark:/dev/null",
    "to-fst": "{0}lattice-to-fst --acoustic-scale=0.1 --lm-scale=1 ark:lats ark:/dev/null",
    "oracle": "{0}lattice-oracle ark:few ark,t:references ark:/dev/null",
    "lmrescore": "{0}lattice-lmrescore --lm-scale=-1 ark:lats bi.words.fst ark:/dev/null",
    "lmrescore-const-arpa": "{0}lattice-lmrescore-const-arpa ark:lats tri.carpa ark:/dev/null",
    "lmrescore | lmrescore-const-arpa": "{0}lattice-lmrescore --lm-scale=-1 ark:lats bi.words.fst ark:- | "
    "{0}lattice-lmrescore-const-arpa ark:- tri.carpa ark:/dev/null",
    "lmrescore-pruned, FST": "{0}lattice-lmrescore-pruned --acoustic-scale=0.1 bi.fst tri.fst ark:lats ark:/dev/null",
    "lmrescore-pruned, const-arpa": "{0}lattice-lmrescore-pruned --acoustic-scale=0.1 --add-const-arpa=true "
    "bi.fst tri.carpa ark:lats ark:/dev/null",
}


def run(command: str, folder: Path) -> None:
    path = Path(sys.executable).parent
    subprocess.run(command.format(f"{path}/nnet-pytorch-"), shell=True, cwd=folder, check=True, capture_output=True)


def write_lattices(folder: Path) -> None:
    """Three tables, and references that are the best paths with every fifth word changed."""
    random = np.random.default_rng(0)
    lattices = [random_lattice(random) for _ in range(20)]
    with (
        TableWriter(f"ark:{folder}/lats", COMPACT_LATTICE) as lats,
        TableWriter(f"ark:{folder}/others", COMPACT_LATTICE) as others,
        TableWriter(f"ark:{folder}/few", COMPACT_LATTICE) as few,
        open(folder / "references", "w") as references,
    ):
        for i in range(LATTICES):
            key, lattice = f"utterance{i:06}", lattices[i % len(lattices)]
            lats.write(key, lattice)
            others.write(key, lattices[(i + 1) % len(lattices)])
            if i < 3:
                few.write(key, lattice)
            path = best_path(lattice)
            words = [] if path is None else path.words
            changed = [word if n % 5 else word % VOCABULARY + 1 for n, word in enumerate(words)]
            references.write(f"{key} {' '.join(map(str, changed))}\n")


def write_models(folder: Path) -> None:
    """As FSTs with backoff labels, with words alone and with labels to back off by, and for const-arpa programs."""
    words = ["<eps>", *(f"W{i}" for i in range(VOCABULARY)), "<s>", "</s>", "#0"]
    (folder / "words.txt").write_text("".join(f"{word} {i}\n" for i, word in enumerate(words)))
    numbers = {word: str(i) for i, word in enumerate(words)}
    for name, trigrams in (("bi", 0), ("tri", 200_000)):
        write_model(folder / f"{name}.arpa", VOCABULARY, 300_000, trigrams or 1000)
        text = (folder / f"{name}.arpa").read_text()
        (folder / f"{name}.int").write_text(re.sub(r"(?<=[\t ])(W\d+|</?s>)", lambda m: numbers[m[1]], text))
        options = "--disambig-symbol=#0 --read-symbol-table=words.txt"
        run(f"{{0}}arpa2fst {options} {name}.arpa {name}.fst", folder)
        run(f"{{0}}fstproject --project_output=true {name}.fst {name}.words.fst", folder)
        run(f"{{0}}fstproject {name}.fst {name}.phi.fst", folder)
        run(f"{{0}}arpa-to-const-arpa --bos-symbol={BEGIN} --eos-symbol={END} {name}.int {name}.carpa", folder)


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_lattices(folder)
        write_models(folder)
        commands = {title: f"cd {folder} && {command}" for title, command in COMMANDS.items()}
        compare("rescoring", commands, "lattice-lmrescore")


if __name__ == "__main__":
    main()

"""Composition and rescoring of lattices beside Kaldi's programs: with other lattices, FSTs and n-gram models.

The lattices are those of bench/lattices.py, some 7 MB; the models are made up: bigrams, and trigrams with as many
n-grams as a pruned model of LibriSpeech has for these words; a recurrent one like that of LibriSpeech's recipe, with
half of its dimensions, and one of Mikolov's toolkit.
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

from kaldi_bridge.io.matrix_files import write_matrix_file
from kaldi_bridge.lattices.lattice_files import COMPACT_LATTICE
from kaldi_bridge.lattices.paths import best_path
from kaldi_bridge.tables import TableWriter

LATTICES, VOCABULARY = 40, 5000
BEGIN, END, BACKOFF = VOCABULARY + 1, VOCABULARY + 2, VOCABULARY + 3
SYMBOLS, RNNLM = f"--bos-symbol={BEGIN} --eos-symbol={END}", "word_embedding.mat final.raw"
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
    "lmrescore-kaldi-rnnlm": f"{{0}}lattice-lmrescore-kaldi-rnnlm --max-ngram-order=2 {SYMBOLS} {RNNLM} "
    "ark:few ark:/dev/null",
    "lmrescore-kaldi-rnnlm, normalized": "{0}lattice-lmrescore-kaldi-rnnlm --max-ngram-order=2 --normalize-probs=true "
    f"{SYMBOLS} {RNNLM} ark:few ark:/dev/null",
    "lmrescore-kaldi-rnnlm-pruned": "{0}lattice-lmrescore-kaldi-rnnlm-pruned --max-ngram-order=4 --acoustic-scale=0.1 "
    f"--lattice-compose-beam=0.5 --max-arcs=800 {SYMBOLS} bi.fst {RNNLM} ark:lats ark:/dev/null",
    "lmrescore-rnnlm": "{0}lattice-lmrescore-rnnlm --max-ngram-order=2 words.txt ark:few mikolov ark:/dev/null",
}
XCONFIG = """
input dim=512 name=input
relu-renorm-layer name=tdnn1 dim=512 input=Append(0, IfDefined(-1))
fast-lstmp-layer name=lstm1 cell-dim=512 recurrent-projection-dim=128 non-recurrent-projection-dim=128
relu-renorm-layer name=tdnn2 dim=512 input=Append(0, IfDefined(-3))
fast-lstmp-layer name=lstm2 cell-dim=512 recurrent-projection-dim=128 non-recurrent-projection-dim=128
relu-renorm-layer name=tdnn3 dim=512 input=Append(0, IfDefined(-3))
output-layer name=output include-log-softmax=false dim=512 param-stddev=0.05
"""  # local/rnnlm/tuning/run_tdnn_lstm_1a.sh


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


def write_rnnlms(folder: Path) -> None:
    """With random parameters."""
    random = np.random.default_rng(0)
    (folder / "xconfig").write_text(XCONFIG)
    run("{0}xconfig-to-config --xconfig-file=xconfig --config-dir=.", folder)
    run("{0}init --srand=1 final.config final.raw", folder)
    write_matrix_file(
        str(folder / "word_embedding.mat"), True, random.normal(0.0, 0.05, (BACKOFF + 1, 512)).astype(np.float32)
    )
    words = ["</s>", *(f"W{i}" for i in range(VOCABULARY))]
    write_mikolov(folder / "mikolov", words, [VOCABULARY // (i + 1) + 1 for i in range(len(words))], random)


def write_mikolov(path: Path, words: list[str], counts: list[int], random: np.random.Generator) -> None:
    """As the toolkit does, with 200 hidden units, 100 classes and a million direct connections."""
    hidden, classes, direct = 200, 100, 1_000_000
    values = (10, 1, "a", "b", 0, 0, 0, 0, 0, 0, len(words) + hidden, hidden, 0, len(words) + classes, direct, 4, 4, 10)
    values = (*values, len(words), classes, 0, 1, 0.1, 0.1, 0)
    text = "".join(f"setting: {value}\n" for value in values) + "\nVocabulary:\n"
    text += "".join(f"{i}\t{count}\t{word}\t0\n" for i, (word, count) in enumerate(zip(words, counts, strict=True)))
    sizes = (hidden, hidden * (len(words) + hidden), (len(words) + classes) * hidden, direct)
    parameters = [random.normal(0.0, 0.1, size).astype("<f4").tobytes() for size in sizes]
    path.write_bytes(text.encode() + b"".join(parameters))


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_lattices(folder)
        write_models(folder)
        write_rnnlms(folder)
        commands = {title: f"cd {folder} && {command}" for title, command in COMMANDS.items()}
        compare("rescoring", commands, "lattice-lmrescore")


if __name__ == "__main__":
    main()

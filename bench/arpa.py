"""Language models in ARPA form: our programs beside arpa2fst, format_lm.sh and arpa-to-const-arpa, where on the PATH.

    python bench/arpa.py [--words=200000] [--bigrams=2250000] [--trigrams=1000000]

The model is made up, of about the size of LibriSpeech's pruned trigrams. Each pair is run alternately, the best of
several rounds counts: processors' seconds, which other programs on the machine disturb less, and the largest process.
"""

from __future__ import annotations

import argparse
import filecmp
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

ROUNDS = 3
LANG = ("phones.txt", "topo", "L.fst", "L_disambig.fst", "oov.int", "oov.txt", "phones/silence.csl")


def zipf(random: np.random.Generator, words: int, count: int) -> np.ndarray:
    """Words, of which the first are drawn most often."""
    return (words ** random.random(count)).astype(np.int64) - 1


def write_model(path: Path, words: int, bigrams: int, trigrams: int) -> None:
    random = np.random.default_rng(0)
    pairs = np.unique(zipf(random, words, 2 * bigrams) * words + zipf(random, words, 2 * bigrams))
    pairs = np.sort(random.permutation(pairs)[:bigrams])
    before = pairs[random.integers(len(pairs), size=trigrams)]
    first, last = (np.searchsorted(pairs, (before % words + step) * words) for step in (0, 1))
    before, first, last = before[first < last], first[first < last], last[first < last]
    after = pairs[first + (random.random(len(first)) * (last - first)).astype(np.int64)] % words
    triples = np.unique(before * words + after)
    with open(path, "w") as out:
        out.write(f"\\data\\\nngram 1={words + 2}\nngram 2={len(pairs)}\nngram 3={len(triples)}\n\n\\1-grams:\n")
        out.write("-99\t<s>\t-0.5\n-1.5\t</s>\n")
        out.writelines(f"{-np.log10((i + 2) * np.log(words)):.4f}\tW{i}\t-0.4\n" for i in range(words))
        out.write("\n\\2-grams:\n")
        out.writelines(f"-1.7\tW{pair // words} W{pair % words}\t-0.2\n" for pair in pairs.tolist())
        out.write("\n\\3-grams:\n")
        out.writelines(
            f"-0.9\tW{triple // words**2} W{triple // words % words} W{triple % words}\n" for triple in triples.tolist()
        )
        out.write("\n\\end\\\n")


def write_numbered(model: Path, numbered: Path, words: int) -> None:
    """The model with numbers in the place of its words, those of ``write_lang``."""
    numbers = {"<s>": words + 2, "</s>": words + 3}
    with open(model) as lines, open(numbered, "w") as out:
        for line in lines:
            out.write(re.sub(r"W(\d+)|</?s>", lambda m: str(int(m[1]) + 1 if m[1] else numbers[m[0]]), line))


def write_lang(folder: Path, words: int) -> None:
    """What format_lm.sh copies, empty but for the words; and a lexicon."""
    (folder / "lang/phones").mkdir(parents=True)
    for name in LANG:
        (folder / "lang" / name).touch()
    table = ["<eps>", *(f"W{i}" for i in range(words)), "#0", "<s>", "</s>"]
    (folder / "lang/words.txt").write_text("".join(f"{word} {i}\n" for i, word in enumerate(table)))
    (folder / "lexicon.txt").write_text("".join(f"W{i} A B\n" for i in range(words)))


def cost(command: str) -> tuple[float, float]:
    """(processors' seconds, MB of the largest process) of a shell command."""
    process = subprocess.Popen(["bash", "-c", command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"failed: {command}")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def kaldis(program: str) -> str | None:
    """Kaldi's own program, not a link to ours."""
    path = shutil.which(program)
    return path if path and "nnet-pytorch" not in os.path.realpath(path) else None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name, default in (("words", 200_000), ("bigrams", 2_250_000), ("trigrams", 1_000_000)):
        parser.add_argument(f"--{name}", type=int, default=default)
    sizes = parser.parse_args()
    os.environ["PATH"] = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_model(folder / "lm.arpa", sizes.words, sizes.bigrams, sizes.trigrams)
        write_lang(folder, sizes.words)
        write_numbered(folder / "lm.arpa", folder / "lm.int", sizes.words)
        subprocess.run(["gzip", "-k", folder / "lm.arpa"], check=True)
        options = f"--disambig-symbol=#0 --read-symbol-table={name}/lang/words.txt {name}/lm.arpa {name}"
        symbols = f"--bos-symbol={sizes.words + 2} --eos-symbol={sizes.words + 3} {name}/lm.int"
        lm = f"{name}/lang {name}/lm.arpa.gz {name}/lexicon.txt {name}"
        programs = {
            "arpa2fst": (f"nnet-pytorch-arpa2fst {options}/ours.fst", f"{options}/kaldis.fst"),
            "arpa-to-const-arpa": (
                f"nnet-pytorch-arpa-to-const-arpa {symbols} {name}/ours.carpa",
                f"{symbols} {name}/kaldis.carpa",
            ),
            "format_lm.sh": (f"nnet-pytorch-format-lm {lm}/ours", f"{lm}/kaldis"),
        }
        print(f"{'':<19} {'cpu s':>8} {'Kaldi':>8} {'ratio':>7} {'MB':>8} {'Kaldi':>8} {'ratio':>7}")
        for program, (ours, arguments) in programs.items():
            peer = kaldis(program)
            commands = [ours, f"{shlex.quote(peer)} {arguments}"] if peer else [ours]
            rounds = [[cost(command) for command in commands] for _ in range(ROUNDS)]
            best = np.min(rounds, axis=0).T
            columns = [f"{r[0]:8.2f} {r[1]:8.2f} {r[1] / r[0]:7.2f}" if peer else f"{r[0]:8.2f}{'':17}" for r in best]
            print(f"{program:<19} {' '.join(columns)}")
        for program, kind in (("arpa2fst", "fst"), ("arpa-to-const-arpa", "carpa")):
            if kaldis(program):
                same = filecmp.cmp(folder / f"ours.{kind}", folder / f"kaldis.{kind}", shallow=False)
                print(f"{program}: " + ("the two files are the same to the byte" if same else "THE TWO FILES DIFFER"))


if __name__ == "__main__":
    main()

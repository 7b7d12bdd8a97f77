"""Makes lookahead.json: files that OpenFst (1.7.9, Debian) writes of FSTs that look ahead, and of compositions.

python tests/kaldi_bridge/fsts/make_lookahead.py    # with its programs on the PATH, and the shared objects
# {olabel,ilabel,arc}_lookahead-fst.so, which register these types with OpenFst, on the LD_LIBRARY_PATH
"""

import json
import random
import subprocess
import tempfile
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

OUTPUTS = Path(__file__).with_name("lookahead.json")
WORDS = 26


def lexicon(seed: int) -> str:
    """Words of three letters, said after them, some of them with two spellings or the beginning of others.

    Letters repeat on loops as the states of HMMs do; 99:27 stands for a disambiguation symbol and that of the grammar.
    """
    chance = random.Random(seed)
    lines, count = ["0 0 99 27"], 1
    for word in (*range(1, WORDS + 1), 3, 8):
        state = 0
        for letter in [chance.randint(1, 4) for _ in range(chance.randint(1, 3))]:
            lines += [f"{state} {count} {letter} 0 {chance.randint(0, 8) / 4}", f"{count} {count} {letter + 10} 0 0.25"]
            state, count = count, count + 1
        lines.append(f"{state} 0 {50 + word} {word} {chance.randint(0, 8) / 4}")
    return "\n".join([*lines, "0 0.5"]) + "\n"


def grammar(seed: int) -> str:
    """Two words at a time, or one after the arc without output: 27 is said there, and nothing written."""
    chance = random.Random(seed)
    lines = [f"0 1 27 0 {chance.randint(1, 8) / 4}"]
    lines += [f"1 {1 + word} {word} {word} {chance.uniform(1, 6):.4f}" for word in range(1, WORDS + 1)]
    for word in range(1, WORDS + 1):
        lines.append(f"{1 + word} 1 27 0 {chance.uniform(0, 3):.4f}")
        for other in sorted(chance.sample(range(1, WORDS + 1), chance.choice([0, 1, 2, 24]))):
            lines.append(f"{1 + word} {1 + other} {other} {other} {chance.uniform(0, 4):.4f}")
        if chance.random() < 0.7:
            lines.append(f"{1 + word} {chance.randint(0, 12) / 8}")
    return "\n".join(lines) + "\n"


# What has cycles without labels, with a label on them, that ends nowhere or at once.
SMALL = [
    "0 1 1 0\n1 2 2 0\n2 0 3 0\n2 3 1 5 0.5\n1 3 2 4\n3 1 2 7\n3 0.25\n",
    "0 0 1 1\n0 1 1 0\n1 0 2 2\n1 0.5\n0\n",
    "0 1 1 1\n1 0 2 2\n",
    "0 0.5\n",
    "0 1 1 9\n0 2 2 8\n1 3 3 8\n2 3 3 9\n0 4 4 0\n4 3 5 8\n4 3 5 9\n3\n",
]
SEEDS = (1, 2)


def commands() -> Iterator[tuple[str, list[str]]]:
    """Names of files and what makes them."""
    for number in range(len(SMALL) + len(SEEDS)):
        for side in ("ilabel", "olabel"):
            yield f"{number}.{side}.fst", ["fstarcsort", f"--sort_type={side}", f"{number}.fst"]
            flags = [f"--fst_type={side}_lookahead", f"--save_relabel_{side[0]}pairs={number}.{side}.pairs"]
            yield f"{number}.{side}_lookahead.fst", ["fstconvert", *flags, f"{number}.{side}.fst"]
        yield f"{number}.arc_lookahead.fst", ["fstconvert", "--fst_type=arc_lookahead", f"{number}.fst"]
    for number in range(len(SMALL), len(SMALL) + len(SEEDS)):
        relabel = f"--relabel_ipairs={number}.olabel.pairs"
        yield f"{number}.relabelled.fst", ["fstrelabel", relabel, f"grammar.{number}.fst"]
        yield f"{number}.grammar.fst", ["fstarcsort", "--sort_type=ilabel", f"{number}.relabelled.fst"]
        both = [f"{number}.olabel_lookahead.fst", f"{number}.grammar.fst"]
        yield f"{number}.composed.fst", ["fstcompose", *both]
        yield f"{number}.untrimmed.fst", ["fstcompose", "--connect=false", *both]


def texts() -> Iterator[tuple[str, str]]:
    """Names of the files that are compiled, and their texts."""
    for number, text in enumerate([*SMALL, *map(lexicon, SEEDS)]):
        yield f"{number}.fst", text
    for number, seed in enumerate(SEEDS, len(SMALL)):
        yield f"grammar.{number}.fst", grammar(seed)


def is_kept(name: str) -> bool:
    return "lookahead" in name or name.endswith(".pairs") or "composed" in name or "untrimmed" in name


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        for name, text in texts():
            subprocess.run(["fstcompile", "-", name], input=text.encode(), cwd=folder, check=True)
        for name, words in commands():
            subprocess.run([*words, name], cwd=folder, check=True)
        kept = {
            path.name: b64encode(path.read_bytes()).decode() for path in Path(folder).iterdir() if is_kept(path.name)
        }
    OUTPUTS.write_text(json.dumps(kept, indent=0, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()

"""Makes kaldi.json: what Kaldi's own lattice-lmrescore-rnnlm, which must be on the PATH, writes for the inputs here.

python tests/kaldi_bridge/commands/latbin/mikolov/make.py

a.lats and words.txt are those of composing/. The language models have random parameters and are written as saveNet() of
Mikolov's toolkit writes them: plain.rnnlm as text; binary.rnnlm with a compression layer, direct connections of order 4
and old classes; known.rnnlm without a word for unknown words, and with so few direct connections that places wrap.
"""

from pathlib import Path

import numpy as np

from tests.helpers.kaldis_outputs import make_cases

PROGRAM = "lattice-lmrescore-rnnlm"
OUT = "ark,t:OUT/1"
CALLS = [
    *(
        [PROGRAM, *options, "words.txt", "ark:a.lats", f"{name}.rnnlm", OUT]
        for name, options in (
            ("plain", []),
            ("plain", ["--max-ngram-order=2", "--lm-scale=0.5"]),
            ("plain", ["--max-ngram-order=1", "--lm-scale=-1"]),
            ("plain", ["--unk-symbol=d", "--eos-symbol=a", "--max-ngram-order=2"]),
            ("binary", ["--lm-scale=0.7"]),
            ("binary", ["--max-ngram-order=-1"]),
            ("known", []),
        )
    ),
    [PROGRAM, "--max-ngram-order=2", "ark:unk.probs", "words.txt", "ark:a.lats", "binary.rnnlm", OUT],
    [PROGRAM, "--lm-scale=0", "ark:unk.probs", "words.txt", "ark:a.lats", "plain.rnnlm", OUT],
]
HIDDEN = 8


def numbers(values: np.ndarray, text: bool, title: str) -> bytes:
    """As Mikolov's toolkit writes a matrix."""
    if not text:
        return values.astype("<f4").tobytes()
    return f"\n{title}:\n".encode() + b"".join(b"%.4f\n" % value for value in values.ravel())


def write_model(
    path: Path, words: list[str], counts: list[int], classes: int, compression: int, direct: int, order: int,
    old: bool, text: bool,
) -> None:  # fmt: skip
    """With random parameters, of which there are more than in a trained model that differ from 0."""
    random = np.random.default_rng(len(words) + direct)
    size = len(words)
    lines = [
        "version: 10", f"file format: {int(not text)}", "", "training data file: train", "validation data file: valid",
        "", "last probability of validation data: -12.5", "number of finished iterations: 3",
        "current position in training data: 0", "current probability of training data: -33.25",
        "save after processing # words: 0", "# of training words: 100", f"input layer size: {size + HIDDEN}",
        f"hidden layer size: {HIDDEN}", f"compression layer size: {compression}",
        f"output layer size: {size + classes}",
        f"direct connections: {direct}", f"direct order: {order}", "bptt: 4", "bptt block: 10",
        f"vocabulary size: {size}", f"class size: {classes}", f"old classes: {int(old)}",
        "independent sentences mode: 1", "starting learning rate: 0.1", "current learning rate: 0.01",
        "learning rate decrease: 1", "", "Vocabulary:",
    ]  # fmt: skip
    lines += [f"{i:6d}\t{count:10d}\t{word}\t{9}" for i, (word, count) in enumerate(zip(words, counts, strict=True))]
    data = "\n".join(lines).encode() + b"\n"
    below = compression or HIDDEN
    data += numbers(random.uniform(0, 1, HIDDEN), text, "Hidden layer activation")
    data += numbers(random.normal(0, 0.7, (HIDDEN, size + HIDDEN)), text, "Weights 0->1")
    if compression:
        data += numbers(random.normal(0, 0.7, (compression, HIDDEN)), text, "Weights 1->c")
    data += numbers(random.normal(0, 1.5, (size + classes, below)), text, "Weights 1->2")
    data += numbers(random.normal(0, 0.7, direct), text, "Direct connections")
    path.write_bytes(data)


def main() -> None:
    folder = Path(__file__).parent
    words, counts = ["</s>", "c", "a", "<RNN_UNK>", "d", "b"], [30, 25, 20, 10, 7, 1]
    write_model(folder / "plain.rnnlm", words, counts, 3, 0, 0, 0, False, True)
    write_model(folder / "binary.rnnlm", words, counts, 3, 5, 200, 4, True, False)
    write_model(folder / "known.rnnlm", [*words[:3], "b"], counts[:4], 2, 0, 7, 3, False, True)
    (folder / "unk.probs").write_text("e 0.25\nf 0.01\n")
    make_cases(folder, CALLS)


if __name__ == "__main__":
    main()

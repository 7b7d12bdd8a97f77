"""A few minibatches of training by Kaldi's rnnlm-train, with many options.

    python -m tests.nnet3_compat.rnnlm.make_steps

with Kaldi's programs on the PATH. steps.json has what changed, for each call and each array of parameters of the
network, and for the embeddings: the norm of the change, and its products with two vectors; also the averages of the
objective that the log ends with. The network is tiny/final.raw without self-repair, which is left to chance.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from kaldi_bridge.io.matrix_files import read_matrix_file, write_matrix_file
from nnet3_compat.model.model_file import read_nnet, write_model
from nnet3_compat.structure.nnet import Nnet
from tests.helpers.places import ROOT

STEPS = Path(__file__).with_name("steps.json")
TEXT = ROOT / "tests/kaldi_bridge/rnnlm/kaldi"
VOCABULARY, FEATURES, DIM = 40, 12, 8
SENTENCES = 20
SIZES = "--num-chunks-per-minibatch=4 --chunk-length=8 --min-split-context=1"
EXAMPLES = {
    "plain.egs": f"rnnlm-get-egs --vocab-size=40 {SIZES} text.int ark:plain.egs",
    "sampled.egs": f"rnnlm-get-egs {SIZES} --num-threads=0 --num-samples=14 sampling.lm text.int ark:sampled.egs",
}
FEATURED = "--read-sparse-word-features=word_feats.txt"
BACKSTITCH = "--rnnlm.backstitch-training-scale=0.4 --embedding.backstitch-training-scale=0.4"
OPTIONS = [
    "",
    FEATURED,
    "--embedding.l2-regularize=0.01 --rnnlm.momentum=0.5 --embedding.momentum=0.7",
    f"{BACKSTITCH} --embedding.l2-regularize=0.01",
    f"{FEATURED} {BACKSTITCH} --rnnlm.backstitch-training-interval=2 --embedding.backstitch-training-interval=2",
    "--embedding.use-natural-gradient=false --den-term-limit=-1 --rnnlm.max-param-change=0.1 "
    "--embedding.max-param-change=0.02",
    "--max-logprob-elements=500 --den-term-limit=0 --embedding.natural-gradient-rank=3 "
    "--embedding.natural-gradient-alpha=2 --embedding.natural-gradient-update-period=1 "
    "--embedding.natural-gradient-num-minibatches-history=5",
]
CALLS = [f"{options} ark:{examples}".strip() for examples in EXAMPLES for options in OPTIONS]


def quiet_network() -> Nnet:
    """Without self-repair, and with a learning rate that moves it."""
    nnet = read_nnet(str(Path(__file__).parent / "tiny/final.raw"))
    for component in nnet.components.values():
        if hasattr(component, "self_repair_scale"):
            component.self_repair_scale = 0.0
        if hasattr(component, "self_repair_config"):
            component.self_repair_config[5:] = 0.0
        if component.is_updatable:
            component.learning_rate = 0.002
            component.l2_regularize = 0.001
    return nnet


def write_inputs(folder: Path) -> None:
    """All but the examples."""
    write_model(str(folder / "0.raw"), quiet_network(), True)
    chance = np.random.RandomState(5)
    for name, rows in (("words.mat", VOCABULARY), ("feats.mat", FEATURES)):
        write_matrix_file(str(folder / name), True, (0.3 * chance.randn(rows, DIM)).astype(np.float32))
    lines = []
    for word in range(VOCABULARY):
        features = np.sort(chance.permutation(FEATURES)[: 1 + word % 4 if word else 0])
        lines.append(" ".join([str(word), *(f"{feature} {1 + 0.5 * (feature % 3)}" for feature in features)]))
    (folder / "word_feats.txt").write_text("".join(f"{line}\n" for line in lines))
    text = (TEXT / "text.int").read_text().splitlines(keepends=True)
    (folder / "text.int").write_text("".join(text[:SENTENCES]))
    (folder / "sampling.lm").write_bytes((TEXT / "sampling.lm").read_bytes())


def arguments(call: str) -> list[str]:
    """Of rnnlm-train."""
    embedding = "feats.mat" if FEATURED in call else "words.mat"
    files = f"--read-rnnlm=0.raw --write-rnnlm=1.raw --read-embedding={embedding} --write-embedding=1.mat"
    return [*f"--use-gpu=no {files} --embedding.learning-rate=0.002".split(), *call.split()]


def changes(folder: Path, call: str) -> dict[str, list[float]]:
    """Of each array of parameters: the norm of its change, and the change's products with two vectors of norm 1."""
    before, after = (_parameters(read_nnet(str(folder / name))) for name in ("0.raw", "1.raw"))
    embedding = "feats.mat" if FEATURED in call else "words.mat"
    before["embedding"], after["embedding"] = (read_matrix_file(str(folder / name)) for name in (embedding, "1.mat"))
    found = {}
    for name in before:
        change = (after[name].astype(np.float64) - before[name]).ravel()
        waves = [np.cos(step * np.arange(change.size)) for step in (0.7, 1.9)]
        numbers = [np.linalg.norm(change), *(change @ wave / np.linalg.norm(wave) for wave in waves)]
        found[name] = [float(f"{number:.6g}") for number in numbers]
    return found


def _parameters(nnet: Nnet) -> dict[str, np.ndarray]:
    named = ("linear_params", "bias_params", "params")
    return {
        f"{name}.{array}": getattr(component, array)
        for name, component in nnet.components.items()
        for array in named
        if getattr(component, array, np.zeros(0)).size
    }


def averages(log: str) -> list[float]:
    """Of the line about all minibatches: numerator, denominator, objective, weight, and the exact ones."""
    line = re.findall(r"Overall objf is (.*)", log)[-1]
    return [float(number) for number in re.findall(r"-?[0-9][0-9.e+-]*", line)]


if __name__ == "__main__":
    made = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_inputs(folder)
        for call in EXAMPLES.values():
            subprocess.run(call.split(), cwd=folder, check=True, stderr=sys.stderr)
        for call in CALLS:
            command = ["rnnlm-train", *arguments(call)]
            done = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
            made[call] = {"averages": averages(done.stderr), "changes": changes(folder, call)}
    lines = ",\n".join(f"{json.dumps(call)}: {json.dumps(value)}" for call, value in made.items())
    STEPS.write_text(f"{{\n{lines}\n}}\n")

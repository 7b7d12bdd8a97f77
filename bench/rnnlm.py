"""Training of recurrent language models beside Kaldi's programs: examples, sampling, minibatches.

A made-up text of a vocabulary of 20,000 words, and the TDNN-LSTM of Kaldi's recipes (local/rnnlm/run_tdnn_lstm.sh) with
dimensions of 128. The lines "N minibatches" tell what one costs: start-up is in all of them.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from beside_kaldi import compare

from kaldi_bridge.io.matrix_files import write_matrix_file

VOCABULARY, SENTENCES, LENGTH, DIM = 20000, 12000, 12, 128
IN_MINIBATCH = 256  # sentences, two in each of 128 chunks
SYMBOLS = "--bos-symbol=1 --eos-symbol=2 --brk-symbol=3"
FILES = "--read-rnnlm=0.raw --write-rnnlm=1.raw --read-embedding=words.mat --write-embedding=1.mat"
TRAIN = f"{{0}}rnnlm-train --use-gpu=no {FILES} "
COMMANDS = {
    "get-sampling-lm": f"{{0}}rnnlm-get-sampling-lm {SYMBOLS} --vocab-size={VOCABULARY} text.int /dev/null",
    "get-egs": f"{{0}}rnnlm-get-egs {SYMBOLS} --vocab-size={VOCABULARY} text.int ark:/dev/null",
    "get-egs, sampled": f"{{0}}rnnlm-get-egs {SYMBOLS} --num-threads=0 sampling.lm text.int ark:/dev/null",
    "train, 1 minibatch, sampled": TRAIN + "ark:1.egs",
    "train, 5 minibatches, sampled": TRAIN + "ark:5.egs",
    "compute-prob, 2 minibatches, all words": "{0}rnnlm-compute-prob 0.raw words.mat ark:plain.egs >/dev/null",
    "sentence-probs, 500 sentences": f"{{0}}rnnlm-sentence-probs {SYMBOLS} --normalize-probs=true "
    "0.raw words.mat few.int >/dev/null",
}
CONFIG = f"""input dim={DIM} name=input
relu-renorm-layer name=tdnn1 dim={DIM} input=Append(0, IfDefined(-1))
fast-lstmp-layer name=lstm1 cell-dim={DIM} recurrent-projection-dim=64 non-recurrent-projection-dim=64
relu-renorm-layer name=tdnn2 dim={DIM} input=Append(0, IfDefined(-3))
fast-lstmp-layer name=lstm2 cell-dim={DIM} recurrent-projection-dim=64 non-recurrent-projection-dim=64
relu-renorm-layer name=tdnn3 dim={DIM} input=Append(0, IfDefined(-3))
output-layer name=output include-log-softmax=false dim={DIM}
"""


def run(command: str) -> None:
    path = Path(sys.executable).parent
    subprocess.run(command.format(f"{path}/nnet-pytorch-"), shell=True, check=True, capture_output=True)


def write_inputs() -> None:
    """The text by a law of Zipf, the network, the embeddings, and examples."""
    random = np.random.default_rng(0)
    places = np.arange(4, VOCABULARY)
    often = 1.0 / (places - 3.0)
    words = random.choice(places, (SENTENCES, LENGTH), p=often / often.sum())
    words[:, 1::3] = (words[:, ::3] * 7 + 5) % (VOCABULARY - 4) + 4  # which follow the word before them
    lines = [" ".join(map(str, sentence)) for sentence in words.tolist()]
    Path("text.int").write_text("".join(f"1.0 {line}\n" for line in lines))
    Path("few.int").write_text("".join(f"s{i} {line}\n" for i, line in enumerate(lines[:500])))
    Path("config").write_text(CONFIG)
    run("{0}xconfig-to-config --xconfig-file config --config-dir .")
    run("{0}init ref.config 0.raw")
    matrix = (0.05 * random.standard_normal((VOCABULARY, DIM))).astype(np.float32)
    write_matrix_file("words.mat", True, matrix)
    run(COMMANDS["get-sampling-lm"].replace("/dev/null", "sampling.lm"))
    for count in (1, 5):
        Path("some.int").write_text("".join(f"1.0 {line}\n" for line in lines[: IN_MINIBATCH * count]))
        run(f"{{0}}rnnlm-get-egs {SYMBOLS} --num-threads=0 sampling.lm some.int ark:{count}.egs")
    Path("some.int").write_text("".join(f"1.0 {line}\n" for line in lines[-2 * IN_MINIBATCH :]))
    run(f"{{0}}rnnlm-get-egs {SYMBOLS} --vocab-size={VOCABULARY} some.int ark:plain.egs")


def main() -> None:
    os.environ["OMP_NUM_THREADS"] = "1"
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        write_inputs()
        compare(f"{VOCABULARY} words, dimensions of {DIM}", COMMANDS, "rnnlm-train")
        os.chdir("/")


if __name__ == "__main__":
    main()

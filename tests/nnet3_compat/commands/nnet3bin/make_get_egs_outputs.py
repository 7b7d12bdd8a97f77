"""Makes get_egs_outputs.json: the examples that Kaldi's own programs (f40076610) make of small inputs, byte for byte.

python -m tests.nnet3_compat.commands.nnet3bin.make_get_egs_outputs FOLDER-OF-KALDIS-PROGRAMS
"""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import tempfile
import zlib
from pathlib import Path

import numpy as np

from kaldi_bridge.tables import TableWriter
from kaldi_bridge.tables.holders import FLOAT_MATRIX, POSTERIOR, compressed_matrix

OUTPUTS = Path(__file__).with_name("get_egs_outputs.json")
EGS, DENSE = "nnet3-get-egs --num-pdfs=6", "nnet3-get-egs-dense-targets --num-targets=2"
CONTEXT = "--left-context=2 --right-context=3"
COMMANDS = f"""
{EGS} {CONTEXT} --num-frames=8 ark:feats ark:post ark:OUT
{EGS} {CONTEXT} --num-frames=8 --compress=false ark:feats ark:post ark:OUT
{EGS} {CONTEXT} --num-frames=8 --online-ivectors=ark:ivectors --online-ivector-period=10 ark:feats ark:post ark:OUT
{EGS} {CONTEXT} --left-context-initial=0 --num-frames=9,5 --num-frames-overlap=2 ark:methods ark:post ark:OUT
{EGS} --num-frames=4 ark:methods ark:post ark:OUT
{EGS} --left-context=-1 --right-context=2 --num-frames=8 ark:feats ark:post ark:OUT
{EGS} --left-context=140 --num-frames=-1 ark:feats ark:post ark:OUT
{EGS} {CONTEXT} --num-frames=8 ark:methods ark:post ark,t:OUT
{DENSE} {CONTEXT} --num-frames=6 --frame-subsampling-factor=3 ark:feats ark:targets ark:OUT
{DENSE} --compress=false --num-frames=6 --frame-subsampling-factor=3 ark:methods ark:targets ark:OUT
""".strip().split("\n")


def make_inputs(folder: Path) -> None:
    """Of each frame of ``post`` up to four pairs, in any order, some of the same pdf or of weight 0."""
    random = np.random.default_rng(0)
    lengths = {"a": 32, "b": 47, "c": 15, "d": 3}
    feats = {key: random.normal(size=(length, 3)).astype(np.float32) for key, length in lengths.items()}
    tables = {
        "feats": (FLOAT_MATRIX, feats),
        "ivectors": (FLOAT_MATRIX, {key: random.normal(size=(-(-n // 10), 4)) for key, n in lengths.items()}),
        "targets": (FLOAT_MATRIX, {key: random.normal(size=(-(-n // 3), 2)) for key, n in lengths.items()}),
        "post": (POSTERIOR, {key: [pairs(random) for _ in range(length)] for key, length in lengths.items()}),
    }
    for name, (holder, entries) in tables.items():
        with TableWriter(f"ark:{folder}/{name}", holder) as writer:
            for key, value in entries.items():
                writer.write(key, value)
    with open(folder / "methods", "wb") as archive:
        for method, (key, matrix) in enumerate(feats.items(), 2):
            with TableWriter(f"ark:{folder}/one", compressed_matrix(method + (method == 4))) as writer:
                writer.write(key, matrix)
            archive.write((folder / "one").read_bytes())


def pairs(random: np.random.Generator) -> list[tuple[int, float]]:
    pdfs = random.integers(6, size=random.integers(5)).tolist()
    return [(pdf, float(random.choice([0.0, 0.25, 0.5, 1.0]))) for pdf in pdfs]


def output(command: str, folder: Path) -> str:
    """What is kept of what a command, whose program is named with its folder, writes to OUT in the other folder."""
    subprocess.run(command.split(), cwd=folder, check=True)
    return base64.b64encode(zlib.compress((folder / "OUT").read_bytes(), 9)).decode()


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        make_inputs(Path(name))
        made = {line: output(f"{sys.argv[1]}/{line}", Path(name)) for line in COMMANDS}
    OUTPUTS.write_text(json.dumps(made, indent=0) + "\n")


if __name__ == "__main__":
    main()

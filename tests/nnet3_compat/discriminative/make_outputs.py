"""Makes outputs.json: what Kaldi's own programs make of the small inputs in kaldis/.

python -m tests.nnet3_compat.discriminative.make_outputs FOLDER-OF-KALDIS-PROGRAMS

The inputs are tests/helpers/made_up_lattices.py's. start.mdl is of nnet3-init --srand=3 (two affine layers with tanh
and batch normalization between, log-softmax outputs, a second branch output-xent), nnet3-am-init, priors of 0.1 to 0.25
and one pass of nnet3-discriminative-train. What a second pass over two minibatches (two.degs) makes of it are smbr.raw,
with --silence-phones=1, and mmi.raw, with --criterion=mmi --boost=0.1 --xent-regularize=0.2 --l2-regularize=0.001
--momentum=0.5 --max-param-change=0.1.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

KALDIS = Path(__file__).with_name("kaldis")
OUTPUTS = Path(__file__).with_name("outputs.json")
GET = "get-egs --num-frames=15,10 --left-context=2 --right-context=1"
TABLES = "model ark:feats.ark ark:lat.ark ark:ali.ark"
IVECTORS = "--online-ivectors=ark:ivectors.ark --online-ivector-period=10"
OBJF = "compute-objf"
COMMANDS = [
    f"{GET} {TABLES} ark:plain.degs",
    f"{GET} --acoustic-scale=1.0 {TABLES} ark:chain.degs",
    f"{GET} --minimize=false {TABLES} ark:OUT",
    f"{GET} --minimize=false --acoustic-scale=1.0 {TABLES} ark:OUT",
    f"{GET} --determinize=false {TABLES} ark:OUT",
    f"{GET} --determinize=false --acoustic-scale=1.0 {TABLES} ark:OUT",
    f"{GET} --determinize=false --collapse-transition-ids=false --acoustic-scale=1.0 {TABLES} ark:OUT",
    f"{GET} --compress=false --collapse-transition-ids=false --acoustic-scale=0.3 {IVECTORS} {TABLES} ark:OUT",
    "copy-egs ark:plain.degs ark,t:text.degs",
    "copy-egs ark:text.degs ark:OUT",
    "copy-egs --frame-shift=1 ark:plain.degs ark:OUT",
    "copy-egs --keep-proportion=0.5 --srand=3 ark:plain.degs ark:OUT",
    "copy-egs --keep-proportion=1.7 --random=true ark:plain.degs ark:OUT",
    "shuffle-egs --buffer-size=4 ark:plain.degs ark:OUT",
    "merge-egs --minibatch-size=4,1 ark:plain.degs ark:merged.degs",
    "merge-egs --minibatch-size=3 --compress=true ark:chain.degs ark:merged-chain.degs",
    "merge-egs --minibatch-size=7,4 ark:plain.degs ark:two.degs",
    "copy-egs ark:merged.degs ark,t:merged.txt",
    "copy-egs ark:merged.txt ark:OUT",
    f"{OBJF} --silence-phones=1 start.mdl ark:merged.degs",
    f"{OBJF} --criterion=smbr --one-silence-class=true --silence-phones=1:2 start.mdl ark:merged.degs",
    f"{OBJF} --criterion=mpfe --silence-phones=2 --l2-regularize=0.01 start.mdl ark:merged.degs",
    f"{OBJF} --criterion=mpfe --one-silence-class=true --silence-phones=1:2 start.mdl ark:plain.degs",
    f"{OBJF} --criterion=mmi start.mdl ark:merged.degs",
    f"{OBJF} --criterion=mmi --boost=0.1 --silence-phones=1 start.mdl ark:merged.degs",
    f"{OBJF} --criterion=mmi --drop-frames=true --accumulate-gradients=true --accumulate-output=true --num-pdfs=6 "
    "start.mdl ark:merged.degs",
    f"{OBJF} --criterion=mmi --acoustic-scale=1.0 --batchnorm-test-mode=false start.mdl ark:merged-chain.degs",
]


def messages(text: str) -> list[str]:
    """Those of a log without what stands before them; lines that tell of Kaldi's own innards are left out."""
    lines = re.findall(r"^(?:LOG|WARNING) \([^)]*\)(?::\S+\))? ?(.*(?:\n \[.*\])?)$", text, re.M)
    return [re.sub(r"^[^ ]*:\d+\) ", "", line) for line in lines if "I/O" not in line]


def outcome(command: str, log: str, folder: Path) -> dict[str, object]:
    """What a program wrote, into a table or its log."""
    last = command.split()[-1].partition(":")[2]
    if command.startswith(OBJF):
        return {"messages": messages(log)}
    data = (folder / last).read_bytes()
    return {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}


def main() -> None:
    programs = Path(sys.argv[1]).resolve()
    made = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copytree(KALDIS, folder, dirs_exist_ok=True)
        for command in COMMANDS:
            words = [str(programs / f"nnet3-discriminative-{command.split()[0]}"), *command.split()[1:]]
            environment = {**os.environ, "OPENBLAS_CORETYPE": "Haswell"}
            done = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, check=True)
            made[command] = outcome(command, done.stderr, folder)
    OUTPUTS.write_text(json.dumps(made, indent=1) + "\n")


if __name__ == "__main__":
    main()

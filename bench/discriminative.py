"""Discriminative training beside Kaldi's: examples of the digits' phone lattices, objectives, and steps of training.

    python bench/discriminative.py

The lattices and alignments are those of the reference experiment (../shared, or $NNET_PYTORCH_SHARED), the network has
random parameters: four layers of 512 rectified linear units. Kaldi's programs run where they are on the PATH. A few
minutes.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from beside_kaldi import compare

from kaldi_bridge.hmm.transition_model import read_transition_model
from nnet3_compat.model.am_nnet import AmNnet
from nnet3_compat.model.model_file import write_model
from nnet3_compat.structure.nnet import Nnet

FSDD = Path(os.environ.get("NNET_PYTORCH_SHARED", Path(__file__).parents[2] / "shared")) / "reference/fsdd"
CONTEXT = 6
REPEATED = 20  # so many times the examples, for programs that only pass them on
GET = (
    f"{{0}}discriminative-get-egs --left-context={CONTEXT} --right-context={CONTEXT} --num-frames=150,110,90 "
    "tri1/final.mdl scp:data/train/feats.scp 'ark:gunzip -c tri1_lats/lat.*.gz |' 'ark:gunzip -c tri1/ali.*.gz |'"
)
DEGS = {
    "get-egs": f"{GET} ark:/dev/null",
    "copy": "{0}discriminative-copy-egs ark:EGS ark:/dev/null",
    "shuffle": "{0}discriminative-shuffle-egs --buffer-size=1000 ark:EGS ark:/dev/null",
    "merge": "{0}discriminative-merge-egs --minibatch-size=32 ark:EGS ark:/dev/null",
}
NETWORK = {
    f"{name}, {criterion}": command.replace("CRITERION", criterion)
    for criterion in ("smbr", "mmi")
    for name, command in (
        ("compute-objf", "{0}discriminative-compute-objf --criterion=CRITERION --silence-phones=1 MODEL ark:MERGED"),
        ("train", "{0}discriminative-train --use-gpu=no --criterion=CRITERION MODEL ark:MERGED /dev/null"),
    )
}


def make_model(path: str) -> None:
    """Of the reference's transition model, with equal priors."""
    transitions = read_transition_model("tri1/final.mdl")
    lines, before, dim = ["input-node name=input dim=13"], "input", 13
    for layer in range(4):
        offsets = (
            [f"Offset({before}, {t})" for t in (-1, 0, 1)] if layer < 3 else [f"Offset({before}, {t})" for t in (-3, 3)]
        )
        sizes = f"input-dim={dim * len(offsets)} output-dim=512"
        lines += [
            f"component name=affine{layer} type=NaturalGradientAffineComponent {sizes}",
            f"component-node name=affine{layer} component=affine{layer} input=Append({', '.join(offsets)})",
            f"component name=relu{layer} type=RectifiedLinearComponent dim=512",
            f"component-node name=relu{layer} component=relu{layer} input=affine{layer}",
        ]
        before, dim = f"relu{layer}", 512
    lines += [
        f"component name=output type=NaturalGradientAffineComponent input-dim=512 output-dim={transitions.num_pdfs}",
        "component-node name=affine component=output input=" + before,
        f"component name=log-softmax type=LogSoftmaxComponent dim={transitions.num_pdfs}",
        "component-node name=log-softmax component=log-softmax input=affine",
        "output-node name=output input=log-softmax",
    ]
    priors = np.full(transitions.num_pdfs, 1.0 / transitions.num_pdfs, np.float32)
    write_model(path, AmNnet(transitions, Nnet.from_config(lines), priors))


def main() -> None:
    if not FSDD.is_dir():
        raise SystemExit(f"needs {FSDD}: set NNET_PYTORCH_SHARED")
    os.chdir(FSDD)
    os.environ["PATH"] = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"
    with tempfile.TemporaryDirectory() as folder:
        names = {name: f"{folder}/{name.lower()}" for name in ("EGS", "MERGED", "MODEL")}

        def filled(commands: dict[str, str]) -> dict[str, str]:
            for name, path in names.items():
                commands = {key: command.replace(name, path) for key, command in commands.items()}
            return commands

        make_model(names["MODEL"])
        made = f"{GET} ark:- | {{0}}discriminative-copy-egs ark:- ark:EGS"
        merged = "{0}discriminative-merge-egs --minibatch-size=32 ark:EGS ark:MERGED"
        for command in filled({"made": made, "merged": merged}).values():
            subprocess.run(["bash", "-c", command.format("nnet-pytorch-")], check=True, stderr=subprocess.DEVNULL)
        egs = Path(names["EGS"])
        egs.write_bytes(REPEATED * egs.read_bytes())
        size = egs.stat().st_size / 1e6
        compare("examples", filled(DEGS), "nnet3-discriminative-get-egs", "nnet3-", size)
        compare("network", filled(NETWORK), "nnet3-discriminative-train", "nnet3-", rounds=2)


if __name__ == "__main__":
    main()

"""Training over several machines: torchrun under srun, each task in a folder that only it has."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from steps_pytorch.training.run.checkpoints import load_state
from tests.helpers.made_up_speech import make_speech
from tests.helpers.slurm_here import MISSING, slurm_here

NODE = """#!/usr/bin/env bash
set -e
cd node$SLURM_PROCID
exec $TORCHRUN --nnodes=$SLURM_NTASKS --nproc-per-node=1 --node-rank=$SLURM_PROCID --master-addr=127.0.0.1 \\
  --master-port=$PORT --no-python nnet-pytorch-train-model "$@"
"""
WORDS = [
    *("--model-opts=--network=speech/network.xconfig", "--objective-opts=--den-fst=speech/den.fst"),
    *("--cmvn-opts=--norm-means=true", "--tree-dir=speech/ali", "--chunk-width=30", "--num-workers=0"),
    *("--num-threads=1", "--average-last=2", "speech/data", "speech", "exp"),
]


def make_node(folder: Path, source: Path) -> Path:
    """A machine's own folder, with a copy of all data."""
    shutil.copytree(source, folder / "speech")
    for path in (folder / "speech").rglob("*.scp"):
        path.write_text(path.read_text().replace(str(source), str(folder / "speech")))
    return folder


@pytest.mark.slow
@pytest.mark.skipif(bool(MISSING), reason=f"no {', '.join(MISSING)}: apt-get install slurm-wlm munge")
def test_two_machines_without_a_common_file_system(tmp_path: Path) -> None:
    """They have the same parameters; the first has the model directory, and all go on from where they were."""
    speech = make_speech(tmp_path / "speech")
    nodes = [make_node(tmp_path / f"node{rank}", speech) for rank in range(2)]
    (tmp_path / "node.sh").write_text(NODE)
    (tmp_path / "slurm").mkdir()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with slurm_here(tmp_path / "slurm") as slurm:
        path = f"{Path(sys.executable).parent}{os.pathsep}{slurm.environment['PATH']}"
        environment = {**slurm.environment, "PATH": path, "PORT": str(port), "OMP_NUM_THREADS": "1"}
        environment["TORCHRUN"] = f"{sys.executable} -m torch.distributed.run"

        def train() -> str:
            command = ["srun", "--mpi=none", "--ntasks=2", "--kill-on-bad-exit", "bash", "node.sh"]
            words = ["--minibatch-size=4", "--num-epochs=2", *WORDS]
            result = subprocess.run(
                [*command, *words], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=400
            )
            assert result.returncode == 0, result.stderr[:6000]
            return result.stderr

        train()
        first, second = (
            load_state(node / "exp" / name)["model"]
            for node, name in zip(nodes, ("checkpoint.2.pt", "checkpoint.2.1.pt"), strict=True)
        )
        trained = [name for name in first if name.endswith("_params")]
        assert len(trained) >= 5
        for name in trained:
            assert torch.equal(first[name], second[name]), name
        assert (nodes[0] / "exp/final.mdl").exists() and not (nodes[1] / "exp/final.mdl").exists()
        assert not list((nodes[1] / "exp").glob("checkpoint.1.*"))
        (nodes[0] / "exp/final.mdl").unlink()
        assert "Going on after iteration 2" in train()
        assert (nodes[0] / "exp/final.mdl").exists()

"""Kaldi's own recipes, unmodified but for the last line of path.sh, on recordings that the tests make."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import wave
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

from nnet3_compat.machine.links import make_links
from nnet3_compat.machine.programs import find_programs


def kaldi_checkout() -> Path:
    """A checkout of Kaldi, of which only scripts are taken; skips where $KALDI_ROOT names none."""
    root = os.environ.get("KALDI_ROOT", "")
    if not (Path(root) / "egs/yesno/s5/run.sh").is_file():
        pytest.skip("needs KALDI_ROOT, a checkout of Kaldi, for its scripts")
    return Path(root)


def copy_recipe(name: str, kaldi: Path, folder: Path, programs: Path | None = None, others: Sequence[str] = ()) -> Path:
    """The recipe's directory in a tree like Kaldi's that holds scripts alone; ``others``: what more it links to.

    Its path.sh ends with a line for a directory of programs: of all ours under their names in Kaldi and OpenFst, from a
    fork server, so that none of those that may be installed is called, unless ``programs`` is another one.
    """
    shutil.copytree(kaldi / "egs" / name, folder / "egs" / name, symlinks=True)
    for part in (*others, "egs/wsj/s5/steps", "egs/wsj/s5/utils", "egs/librispeech/s5/local", "tools/config"):
        if not (folder / part).exists():
            shutil.copytree(kaldi / part, folder / part, symlinks=True)
    recipe = folder / "egs" / name
    line = f"export PATH={programs}:$PATH"
    if programs is None:
        installed = shlex.quote(str(Path(sys.executable).parent))
        line = f'PATH=$PATH:{installed}\n. "$(nnet-pytorch-path --all --fork-server --print-args=false)"'
    with open(recipe / "path.sh", "a") as file:
        file.write(f"\n{line}\n")
    return recipe


# What a corpus of minutes does not have the examples for: 512 Gaussians with 100 frames each, minibatches of 64,
# parallel jobs on several archives; and epochs that take long without a GPU
SMALLER = {
    "local/nnet3/run_ivector_common.sh": {"_subset 512": "_subset 64"},
    "local/chain/tuning/run_tdnn_1k.sh": {
        "num-epochs=20": "num-epochs=2",
        "num-jobs-initial=2": "num-jobs-initial=1",
        "num-jobs-final=5": "num-jobs-final=1",
        "num-chunk-per-minibatch=128,64": "num-chunk-per-minibatch=64,8,1",
    },
    "local/chain2/tuning/run_tdnn_1a.sh": {
        "--num-jobs-initial 2 --num-jobs-final 5": "--num-epochs 2 --num-jobs-initial 1 --num-jobs-final 1",
        "--minibatch-size 256,128,64": "--minibatch-size 64,8,1",
    },
}

SMALL_XVECTORS = {  # for a recipe's local/nnet3/xvector/tuning/run_xvector_1a.sh
    "num-jobs-initial=3": "num-jobs-initial=1",
    "num-jobs-final=8": "num-jobs-final=1",
    "minibatch-size=64": "minibatch-size=16",
    "dim=512": "dim=32",
    "dim=1500": "dim=64",
}
FASTER_XVECTORS = {  # and trained in fewer steps
    "initial-effective-lrate=0.001": "initial-effective-lrate=0.005",
    "final-effective-lrate=0.0001": "final-effective-lrate=0.001",
}


def copy_mini_librispeech(kaldi: Path, folder: Path, corpus: Path, programs: Path | None = None) -> Path:
    """The recipe with made_up_librispeech's corpus in the places of its downloads, for one machine without a GPU.

    run.sh stays as it is. local/chain2/run_tdnn.sh and local/chain/run_tdnn.sh ask ``cuda-compiled`` whether to begin
    at all, which is told yes; the programs then compute on the CPU, as Kaldi's do where they are not compiled for GPUs.
    Of their training, epochs and jobs are fewer, and of the i-vector extractor's, Gaussians.
    """
    recipe = copy_recipe("mini_librispeech/s5", kaldi, folder, programs)
    run_jobs_here(recipe)
    (recipe / "corpus").symlink_to(corpus)
    shutil.copytree(corpus / "lm", recipe / "data/local/lm")
    change_scripts(recipe, SMALLER)
    add_programs(recipe, folder / "without_gpu", CUDA_IS_COMPILED)
    return recipe


def run_jobs_here(recipe: Path) -> None:
    """A cmd.sh for this machine, with one job for each of its processors."""
    run_pl = f"run.pl --max-jobs-run {os.cpu_count()}"
    kinds = ("train", "decode", "mkgraph", "cuda")
    (recipe / "cmd.sh").write_text("".join(f'export {kind}_cmd="{run_pl}"\n' for kind in kinds))


def copy_speaker_recipe(
    name: str, kaldi: Path, folder: Path, corpora: Path, changes: Mapping[str, Mapping[str, str]]
) -> Path:
    """The recipe with made_up_calls' corpora where it has /export and downloads, for one machine without a GPU."""
    family = name.partition("/")[0]
    others = (f"egs/{family}/v1", "egs/sre08/v1/sid", "egs/sre08/v1/steps")
    recipe = copy_recipe(name, kaldi, folder, others=others)
    (recipe / "cmd.sh").write_text("export train_cmd=run.pl\n")
    change_scripts(recipe, changes)
    script = (recipe / "run.sh").read_text()
    (recipe / "run.sh").write_text(re.sub(r"/export/corpora\d?/", f"{corpora}/", script))
    (recipe / "RIRS_NOISES").symlink_to(corpora / "RIRS_NOISES")
    link_programs(folder / "tools/sph2pipe_v2.5")
    # The scripts call it with -P FOLDER URL, after other options.
    wget = f'while [ "$1" != -P ]; do shift; done; mkdir -p "$2"; cp "{corpora}/downloads/${{3##*/}}" "$2"'
    add_programs(recipe, folder / "stand_ins", {**CUDA_IS_COMPILED, "wget": wget})
    return recipe


def change_scripts(recipe: Path, changes: Mapping[str, Mapping[str, str]], jobs: int = 4) -> None:
    """Replaces strings of the recipe's scripts, which must be there; ``jobs`` where these ask for ten or more."""
    for name, replacements in changes.items():
        script = (recipe / name).read_text()
        for text, replacement in replacements.items():
            assert text in script, (name, text)
            script = script.replace(text, replacement)
        (recipe / name).write_text(re.sub(r"--nj \d\d+\b", f"--nj {jobs}", script))


def add_programs(recipe: Path, folder: Path, scripts: Mapping[str, str]) -> None:
    """Puts shell scripts in ``folder``, which goes before all other programs: what stands for one that is missing."""
    folder.mkdir()
    for name, script in scripts.items():
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)
    with open(recipe / "path.sh", "a") as file:
        file.write(f"export PATH={folder}:$PATH\n")


CUDA_IS_COMPILED = {"cuda-compiled": "exit 0"}  # scripts that ask begin, on the CPU


def best_rate(folder: Path, kind: str = "wer") -> float:
    """The lowest word (or character: ``cer``) error rate, in per cent, of a directory of decoding."""
    text = "".join(path.read_text() for path in folder.glob(f"{kind}_*"))
    return min(float(rate) for rate in re.findall(r"^%WER (\S+)", text, re.M))


def link_programs(folder: Path) -> None:
    """A directory of all our programs under the names that they have elsewhere."""
    bin_folder = Path(sys.executable).parent
    programs = {program.kaldi_name: bin_folder / program.name for program in find_programs() if program.kaldi_name}
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.symlink_to(make_links(folder.parent, programs))


def run_recipe(recipe: Path, script: str = "run.sh", *arguments: str, timeout: float = 3000.0) -> str:
    """What a script of the recipe prints; fails with the end of it, and of its newest log, unless it succeeds."""
    environment = {**os.environ, "LC_ALL": "C", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        ["bash", script, *arguments], cwd=recipe, env=environment, capture_output=True, text=True, timeout=timeout
    )
    output = done.stdout + done.stderr
    assert done.returncode == 0, f"{output[-3000:]}\n{newest_log(recipe)}"
    return output


def newest_log(recipe: Path) -> str:
    """The end of the log that was written last."""
    logs = sorted((p for p in recipe.rglob("*.log") if p.is_file()), key=lambda p: p.stat().st_mtime)
    return f"{logs[-1]}:\n{logs[-1].read_text(errors='replace')[-3000:]}" if logs else ""


def write_wave(path: Path, samples: np.ndarray, rate: int) -> None:
    """A recording of one channel, of int16 samples."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples.tobytes())

"""Kaldi's own recipes, unmodified but for the last line of path.sh, on recordings that the tests make."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import wave
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


def copy_recipe(name: str, kaldi: Path, folder: Path) -> Path:
    """The recipe's directory in a tree like Kaldi's that holds scripts alone.

    Its path.sh ends with a line for a directory of all our programs under their names in Kaldi and OpenFst, so that
    none of those that may be installed is called.
    """
    shutil.copytree(kaldi / "egs" / name, folder / "egs" / name, symlinks=True)
    for part in ("egs/wsj/s5/steps", "egs/wsj/s5/utils", "tools/config"):
        if not (folder / part).exists():
            shutil.copytree(kaldi / part, folder / part, symlinks=True)
    recipe = folder / "egs" / name
    links = folder / "links"
    link_programs(links)
    with open(recipe / "path.sh", "a") as file:
        file.write(f"\nexport PATH={links}:$PATH\n")
    return recipe


def link_programs(folder: Path) -> None:
    """A directory of all our programs under the names that they have elsewhere."""
    bin_folder = Path(sys.executable).parent
    programs = {program.kaldi_name: bin_folder / program.name for program in find_programs() if program.kaldi_name}
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.symlink_to(make_links(folder.parent, programs))


def run_recipe(recipe: Path, script: str = "./run.sh", timeout: float = 3000.0) -> str:
    """What a script of the recipe prints; fails with the end of it, and of its newest log, unless it succeeds."""
    environment = {**os.environ, "LC_ALL": "C", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        ["bash", script], cwd=recipe, env=environment, capture_output=True, text=True, timeout=timeout
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

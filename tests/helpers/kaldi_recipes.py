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

RATE = 8000
# (frequencies of two resonances in Hz, seconds) of the sounds that a made-up word consists of
YES = [((300.0, 2300.0), 0.12), ((500.0, 1800.0), 0.16), ((2500.0, 3400.0), 0.14)]
NO = [((250.0, 1100.0), 0.12), ((450.0, 800.0), 0.30)]


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
    bin_folder = Path(sys.executable).parent
    programs = {program.kaldi_name: bin_folder / program.name for program in find_programs() if program.kaldi_name}
    links = make_links(folder, programs)
    with open(recipe / "path.sh", "a") as file:
        file.write(f"\nexport PATH={links}:$PATH\n")
    return recipe


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


def made_up_speech(words: str, random: np.random.Generator) -> np.ndarray:
    """int16 samples at RATE: for each character a word ("1" yes, "0" no), silence between them."""
    pieces = [_noise(0.3, random)]
    for word in words:
        for formants, seconds in YES if word == "1" else NO:
            pieces.append(_sound(formants, seconds * random.uniform(0.85, 1.2), random))
        pieces.append(_noise(random.uniform(0.25, 0.45), random))
    return np.concatenate(pieces).astype(np.int16)


def _noise(seconds: float, random: np.random.Generator) -> np.ndarray:
    return random.normal(0.0, 25.0, int(seconds * RATE))


def _sound(formants: tuple[float, float], seconds: float, random: np.random.Generator) -> np.ndarray:
    """A buzz of about 110 Hz, louder near the resonances."""
    time = np.arange(int(seconds * RATE)) / RATE
    pitch = random.uniform(95.0, 130.0)
    signal = np.zeros(len(time))
    for harmonic in range(1, int(3900.0 / pitch)):
        frequency = harmonic * pitch
        gain = sum(np.exp(-0.5 * ((frequency - f) / 120.0) ** 2) for f in formants) + 0.01
        signal += gain * np.sin(2 * np.pi * frequency * time + random.uniform(0, 2 * np.pi))
    envelope = np.minimum(1.0, np.minimum(time, time[::-1]) / 0.02)
    return 1500.0 * signal * envelope + _noise(seconds, random)[: len(time)]


def write_wave(path: Path, samples: np.ndarray, rate: int = RATE) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples.tobytes())

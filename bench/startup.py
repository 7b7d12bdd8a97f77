"""How long a command takes before it does anything: interpreter, NumPy, command line; forked from a server; Kaldi's."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from beside_kaldi import kaldi_has

from nnet3_compat.machine.fork_server import VARIABLE

RUNS = 11
CASES = {
    "python": [sys.executable, "-c", "pass"],
    "+ numpy": [sys.executable, "-c", "import numpy"],
    "+ kaldi_bridge.command": [sys.executable, "-c", "import kaldi_bridge.command, numpy"],
    "+ kaldi_bridge.tables": [sys.executable, "-c", "import kaldi_bridge.command, kaldi_bridge.tables"],
    "nnet-pytorch-copy-feats --help": [sys.executable, "-m", "kaldi_bridge.commands.featbin.copy_feats", "--help"],
}


def seconds(command: list[str], environment: dict[str, str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL, env=environment)
    return time.perf_counter() - start


def served(environment: dict[str, str]) -> tuple[list[str], dict[str, str]]:
    """copy-feats of a fork server that ends with this program, and what it needs in the environment."""
    programs = Path(sys.executable).parent
    asked = [programs / "nnet-pytorch-path", "--fork-server", "--all", "--print-args=false"]
    links = Path(subprocess.check_output(asked, env=environment, text=True)).parent
    server = [programs / "nnet-pytorch-fork-server", "--print-args=false", links, str(os.getpid())]
    place = subprocess.check_output(server, env=environment, text=True).rstrip("\n")
    return [str(links / "launch/copy-feats"), "--help"], {**environment, VARIABLE: place}


def main() -> None:
    with tempfile.TemporaryDirectory() as directory:  # compiled modules, as an installation has them
        environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
        environment["PYTHONPYCACHEPREFIX"] = directory
        cases = {name: (command, environment) for name, command in CASES.items()}
        cases["the same, from a fork server"] = served(environment)
        if kaldi_has("copy-feats"):
            cases["Kaldi's copy-feats --help"] = [str(shutil.which("copy-feats")), "--help"], environment
        for name, (command, its_environment) in cases.items():
            seconds(command, its_environment)
            median = statistics.median(seconds(command, its_environment) for _ in range(RUNS))
            print(f"{name:<34} {median:6.3f} s")


if __name__ == "__main__":
    main()

"""How long a command takes before it does anything: the interpreter, NumPy, typer, the command line."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time

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


def main() -> None:
    with tempfile.TemporaryDirectory() as directory:  # compiled modules, as an installation has them
        environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
        environment["PYTHONPYCACHEPREFIX"] = directory
        for name, command in CASES.items():
            seconds(command, environment)
            median = statistics.median(seconds(command, environment) for _ in range(RUNS))
            print(f"{name:<34} {median:6.3f} s")


if __name__ == "__main__":
    main()

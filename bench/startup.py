"""How long a command takes before it does anything: the interpreter, NumPy, typer, the command line.

Goal: under 0.35 s without torch. The median of several runs of ``nnet-pytorch-copy --help`` and its parts.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

RUNS = 11
CASES = {
    "python": [sys.executable, "-c", "pass"],
    "+ numpy": [sys.executable, "-c", "import numpy"],
    "+ kaldi_bridge.command": [sys.executable, "-c", "import kaldi_bridge.command, numpy"],
    "+ kaldi_bridge.tables": [sys.executable, "-c", "import kaldi_bridge.command, kaldi_bridge.tables"],
    "nnet-pytorch-copy --help": [sys.executable, "-m", "nnet3_compat.commands.copy", "--help"],
    "nnet-pytorch-copy-feats --help": [sys.executable, "-m", "nnet3_compat.commands.copy_feats", "--help"],
}


def seconds(command: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
    return time.perf_counter() - start


def main() -> None:
    for name, command in CASES.items():
        seconds(command)
        print(f"{name:<34} {statistics.median(seconds(command) for _ in range(RUNS)):6.3f} s")


if __name__ == "__main__":
    main()

"""Command lines of our programs beside Kaldi's, where those are on the PATH: what the benches of programs share.

Each pair is run alternately, the best of several rounds counts; the ratio is Kaldi's time over ours, for the wall clock
and for the processors' time, which other programs on the machine disturb less.
"""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

ROUNDS = 3


def seconds(command: str) -> tuple[float, float]:
    """(wall clock, processors' time) of a shell command, whose standard error goes nowhere."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(["bash", "-o", "pipefail", "-c", command], check=True, stderr=subprocess.DEVNULL)
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def kaldi_has(program: str) -> bool:
    """Whether Kaldi's own program is on the PATH, not a link to ours."""
    path = shutil.which(program)
    return path is not None and "nnet-pytorch" not in os.path.realpath(path)


def compare(title: str, commands: Mapping[str, str], program: str, kaldi: str = "", megabytes: float = 0.0) -> None:
    """Prints a table, a line for each command.

    Args:
        commands: by their names in the table; ``{0}`` stands for what is before a program's name, in Kaldi ``kaldi``.
        program: one of Kaldi's that must be there for the comparison.
        megabytes: of input; where given, the speeds in MB/s are told besides.
    """
    os.environ["PATH"] = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    prefixes = ["nnet-pytorch-", kaldi] if kaldi_has(program) else ["nnet-pytorch-"]
    titles = ["s", "Kaldi", "cpu-s", "Kaldi", "ratio", "ratio cpu"] if len(prefixes) == 2 else ["s", "cpu-s"]
    note = "" if len(prefixes) == 2 else " (no Kaldi on the PATH)"
    print(f"{title + note:<44}" + "".join(f"{t:>10}" for t in titles + (["MB/s"] if megabytes else [])))
    for name, command in commands.items():
        runs = [[seconds(command.format(prefix)) for prefix in prefixes] for _ in range(ROUNDS)]
        walls, cpus = ([min(row[i][k] for row in runs) for i in range(len(prefixes))] for k in (0, 1))
        figures = [*walls, *cpus, *((x[1] / x[0] for x in (walls, cpus)) if len(prefixes) == 2 else ())]
        figures += [megabytes / walls[0]] if megabytes else []
        print(f"{name:<44}" + "".join(f"{figure:10.2f}" for figure in figures))

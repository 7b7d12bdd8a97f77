"""Command lines of our programs beside Kaldi's, where those are on the PATH: what the benches of programs share.

Ours come from a fork server, as recipes have them, whose time counts too; what it has imported before is free.
Each pair is run alternately, the best of several rounds counts; the ratio is Kaldi's time over ours, for the wall clock
and for the processors' time, which other programs on the machine disturb less.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from nnet3_compat.machine.fork_server import VARIABLE

ROUNDS = 3
_SET_CHILD_SUBREAPER = 36


def adopt_servers() -> None:
    """Makes this process the parent of fork servers (Linux: prctl(2))."""
    ctypes.CDLL(None).prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


@contextlib.contextmanager
def fork_server() -> Iterator[dict[str, str]]:
    """An environment whose PATH begins with all our programs under Kaldi's names, from a server that ends with this."""
    adopt_servers()
    programs = Path(sys.executable).parent
    asked = [programs / "nnet-pytorch-path", "--fork-server", "--all", "--print-args=false"]
    links = Path(subprocess.check_output(asked, text=True)).parent
    shell = subprocess.Popen(["sleep", "infinity"])
    try:
        server = [programs / "nnet-pytorch-fork-server", "--print-args=false", links, str(shell.pid)]
        place = subprocess.check_output(server, text=True).rstrip("\n")
        yield {**os.environ, "PATH": f"{links}/launch:{os.environ['PATH']}", VARIABLE: place}
    finally:
        shell.kill()
        with contextlib.suppress(ChildProcessError):
            while True:
                os.wait()


def seconds(command: str, environment: Mapping[str, str] | None = None) -> tuple[float, float]:
    """(wall clock, processors' time) of a shell command, and of servers meanwhile; its standard error goes nowhere."""
    before, start = _used(), time.perf_counter()
    words = ["bash", "-o", "pipefail", "-c", command]
    subprocess.run(words, check=True, env=environment, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - start, _used() - before


def _used() -> float:
    """By all children that have ended, and by those that run, with theirs that have ended."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    ticks = sum(_ticks(child) for child in _descendants(os.getpid()))
    return ended.ru_utime + ended.ru_stime + ticks / os.sysconf("SC_CLK_TCK")


def _descendants(process: int) -> Iterator[int]:
    for child in map(int, Path(f"/proc/{process}/task/{process}/children").read_text().split()):
        yield child
        yield from _descendants(child)


def _ticks(process: int) -> int:
    """Its user and system time, and that of its children that have ended (proc(5), stat)."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15]))


def kaldi_has(program: str) -> bool:
    """Whether Kaldi's own program is on the PATH, not a link to ours."""
    path = shutil.which(program)
    return path is not None and "nnet-pytorch" not in os.path.realpath(path)


def compare(
    title: str,
    commands: Mapping[str, str],
    program: str,
    kaldi: str = "",
    megabytes: float = 0.0,
    rounds: int = ROUNDS,
) -> None:
    """Prints a table, a line for each command.

    Args:
        commands: by their names in the table; ``{0}`` stands for what is before a program's name, in Kaldi ``kaldi``.
        program: one of Kaldi's that must be there for the comparison.
        megabytes: of input; where given, the speeds in MB/s are told besides.
        rounds: how often each is run.
    """
    os.environ["PATH"] = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    with fork_server() as environment:
        _compare(title, commands, program, kaldi, megabytes, rounds, environment)


def _compare(
    title: str,
    commands: Mapping[str, str],
    program: str,
    kaldi: str,
    megabytes: float,
    rounds: int,
    environment: Mapping[str, str],
) -> None:
    environments: dict[str, Mapping[str, str] | None] = {"nnet-pytorch-": environment}
    if kaldi_has(program):
        environments[kaldi] = None
    prefixes = list(environments)
    titles = ["s", "Kaldi", "cpu-s", "Kaldi", "ratio", "ratio cpu"] if len(prefixes) == 2 else ["s", "cpu-s"]
    note = "" if len(prefixes) == 2 else " (no Kaldi on the PATH)"
    print(f"{title + note:<44}" + "".join(f"{t:>10}" for t in titles + (["MB/s"] if megabytes else [])))
    for name, command in commands.items():
        pairs = [(command.format(prefix), environments[prefix]) for prefix in prefixes]
        runs = [[seconds(*pair) for pair in pairs] for _ in range(rounds)]
        walls, cpus = ([min(row[i][k] for row in runs) for i in range(len(prefixes))] for k in (0, 1))
        figures = [*walls, *cpus, *((x[1] / x[0] for x in (walls, cpus)) if len(prefixes) == 2 else ())]
        figures += [megabytes / walls[0]] if megabytes else []
        print(f"{name:<44}" + "".join(f"{figure:10.2f}" for figure in figures), flush=True)

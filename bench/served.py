"""Processors' time of shell commands whose programs come from a fork server, for benches of recipes' programs."""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from nnet3_compat.machine.fork_server import VARIABLE

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


def seconds(command: str, environment: dict[str, str] | None = None) -> float:
    """Of a command, which must succeed, and of all that servers do meanwhile; outputs go nowhere."""
    before = _used()
    options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    subprocess.run(["bash", "-o", "pipefail", "-c", command], check=True, env=environment, **options)
    return _used() - before


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

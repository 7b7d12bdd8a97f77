"""A server in a process of its own."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

LISTENING = re.compile(r"[Ll]istening .*?(\d+)$")


@dataclass
class RunningServer:
    """Attributes: the port; the process; its log, which grows."""

    port: int
    process: subprocess.Popen[str]
    log: Path

    def end(self) -> int:
        """Tells it to end, waits, and gives its exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)


@contextmanager
def running(module: str, *arguments: str | Path, log: Path) -> Iterator[RunningServer]:
    """While a program, given by its module, listens at a port that it chooses."""
    with open(log, "w") as file:
        process = subprocess.Popen([sys.executable, "-m", module, *map(str, arguments)], stderr=file, text=True)
    try:
        yield RunningServer(_port(process, log), process, log)
    finally:
        process.kill()
        process.wait()


def _port(process: subprocess.Popen[str], log: Path) -> int:
    while True:
        for line in log.read_text().splitlines():
            if found := LISTENING.search(line):
                return int(found[1])
        try:
            process.wait(0.05)
        except subprocess.TimeoutExpired:
            continue
        raise AssertionError(f"the server ended with {process.returncode}: {log.read_text()}")

"""A program that tells all that it was given, and does what it is told: test_fork_server.py makes a script of it."""

import json
import os
import resource
import signal
import sys
import time
from pathlib import Path
from typing import TextIO

from kaldi_bridge.io.text import pass_bytes_through


def state() -> dict[str, object]:
    """What should not depend on who has started it."""
    files = {}
    for name in os.listdir("/proc/self/fd"):
        try:
            if os.get_inheritable(int(name)) or int(name) < 3:
                files[name] = os.readlink(f"/proc/self/fd/{name}")
        except OSError:
            pass  # the list itself
    return {
        "arguments": sys.argv[1:],
        "name": os.path.basename(sys.argv[0]),
        "environment": dict(sorted(os.environ.items())),
        "directory": os.getcwd(),
        "umask": os.umask(0o22),
        "files": files,
        "streams": [stream and kind(stream) for stream in (sys.stdin, sys.stdout, sys.stderr)],
        "ignored": [n for n in signal.valid_signals() if signal.getsignal(n) is signal.SIG_IGN],
        "group": os.getpgid(0),
        "niceness": os.getpriority(os.PRIO_PROCESS, 0),
        "processors": sorted(os.sched_getaffinity(0)),
        "limits": {n: resource.getrlimit(getattr(resource, n)) for n in dir(resource) if n.startswith("RLIMIT_")},
        "search": sys.path[1:],  # of the server, first is where the programs are installed
    }


def kind(stream: TextIO) -> tuple[object, ...]:
    return stream.encoding, stream.errors, stream.line_buffering, stream.write_through


def main() -> None:
    pass_bytes_through()
    action, *rest = sys.argv[1:] or ["state"]
    if action == "state":
        print(json.dumps(state()))
    elif action == "parent":
        print(Path(f"/proc/{os.getppid()}/comm").read_text().rstrip("\n"))
    elif action == "exit":
        sys.exit(rest[0] if rest[0] == "message" else int(rest[0]))
    elif action == "die":
        os.kill(os.getpid(), int(rest[0]))
        time.sleep(30)
    elif action == "raise":
        raise ValueError("raised")
    elif action == "wait":
        Path(rest[0]).write_text(str(os.getpid()))
        for _ in range(600):  # a signal just before a sleep does not end it
            time.sleep(0.05)
    elif action == "close":  # its input, and then it waits until a file is there
        os.close(0)
        while not os.path.exists(rest[0]):
            time.sleep(0.01)
    elif action == "line":
        print(input())
    elif action == "torch":
        print("there" if "torch" in sys.modules else "not yet")
        import torch

        print(float((torch.ones(300, 300) @ torch.ones(300, 300)).sum()))


main()

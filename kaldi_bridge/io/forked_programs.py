"""Our programs in processes that were forked, not started: they have Python and NumPy already.

Used where one program reads a pipe of others (pipelines.py) and by the fork server of a shell
(nnet3_compat/machine/fork_server.py). Everything that one can see of such a program is as if it had been started.
"""

from __future__ import annotations

import gc
import io
import os
import sys
from typing import TextIO

OWN = "nnet-pytorch-"  # how the files of our programs begin
LAUNCHERS = "launch"  # FOLDER/launch/NAME starts what FOLDER/NAME is, see nnet3_compat/machine/csrc/launcher.c


def script_of(path: str) -> str | None:
    """The script, for this very interpreter and installed with this one, that executing ``path`` starts; else None."""
    folder, name = os.path.split(path)
    if os.path.basename(folder) == LAUNCHERS:
        path = os.path.join(os.path.dirname(folder), name)
    if not os.path.basename(os.path.realpath(path)).startswith(OWN):
        return None
    with open(path, "rb") as file:
        return path if file.readline() == b"#!" + os.fsencode(sys.executable) + b"\n" else None


def run_script(path: str, arguments: list[str]) -> int:
    """Exit status of a Python script, run as the interpreter would run it, with the files 0, 1 and 2."""
    import runpy

    gc.freeze()  # the parent's objects are not to be freed here: their file descriptors are closed
    gc.enable()
    sys.stdin, sys.stdout, sys.stderr = _standard_file(0), _standard_file(1), _standard_file(2)
    sys.argv = [path, *arguments[1:]]
    status = 0
    try:
        runpy.run_path(path, run_name="__main__")
    except SystemExit as exit_:
        status = _status(exit_.code)
    threading = sys.modules.get("threading")
    if threading is not None:
        threading._shutdown()  # waits for its threads, as the interpreter does
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()
    return status


def _standard_file(number: int) -> TextIO | None:
    """As the interpreter opens it, which has opened the parent's."""
    parents = (sys.__stdin__, sys.__stdout__, sys.__stderr__)[number]
    try:
        file = os.fdopen(number, "wb" if number else "rb", closefd=False)
    except OSError:
        return None  # closed by who called
    if parents is None:
        return io.TextIOWrapper(file)
    at_once = parents.write_through  # PYTHONUNBUFFERED
    in_lines = not at_once and (number == 2 or file.isatty())
    return io.TextIOWrapper(file, parents.encoding, parents.errors, line_buffering=in_lines, write_through=at_once)


def _status(code: object) -> int:
    if code is None or isinstance(code, int):
        return code or 0
    print(code, file=sys.stderr)
    return 1

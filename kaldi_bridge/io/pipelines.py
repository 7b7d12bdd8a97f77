"""Pipelines that a program reads from: our own programs in them are forked, not started anew.

What a small job of Kaldi's scripts costs is mostly the start of its programs: ``gmm-acc-stats-ali`` with the features
``apply-cmvn ... ark:- | add-deltas ark:- ark:- |`` is three interpreters, each of which imports NumPy. A fork of the
first has done that already. Only a program may divide itself so, not a library in somebody's process, and none that has
threads or PyTorch, which a fork does not survive. Everything else about a pipe is as with a shell.
"""

from __future__ import annotations

import os
import re
import signal
import sys
from typing import NoReturn

from kaldi_bridge.io.forked_programs import run_script, script_of
from kaldi_bridge.io.text import encode

# Nothing that a shell would do more with than _programs does: words, words in quotes, bars between them
_TOKEN = r"[\w./:,=@%+*-]+|'[^']*'|\"[^\"$`\\]*\""
_PLAIN = re.compile(rf"(?:\s*(?:\||(?:{_TOKEN})(?![^\s|])))*\s*", re.ASCII)
_TOKENS = re.compile(rf"\||{_TOKEN}", re.ASCII)

_allowed = False


def allow_forks() -> None:
    """For a program, whose process is its own."""
    global _allowed
    _allowed = True


def fork_pipeline(command: str) -> tuple[int, list[int]] | None:
    """Starts the programs of ``a ... | b ...``; returns where to read what the last writes, and their process ids.

    None where it must be left to a shell, because there is more in it than words, pipes and programs that exist.
    Raises OSError when the system has no more processes or pipes.
    """
    if not _allowed or "torch" in sys.modules or _has_threads() or not _PLAIN.fullmatch(command):
        return None
    programs = _programs(command)
    if not all(programs) or any("=" in arguments[0] for arguments in programs):
        return None
    paths = [_find(arguments[0]) for arguments in programs]
    if "" in paths:
        return None
    for stream in (sys.stdout, sys.stderr):
        stream.flush()  # or a fork would write it once more
    source, children = -1, []
    for path, arguments in zip(paths, programs, strict=True):
        read_end, write_end = os.pipe()
        script = script_of(path)
        if script is None:
            children.append(_spawn(path, arguments, source, write_end))
        else:
            child = os.fork()
            if child == 0:
                _become(script, arguments, source, write_end)
            children.append(child)
        os.close(write_end)
        if source >= 0:
            os.close(source)
        source = read_end
    return source, children


def wait_for(children: list[int]) -> int:
    """Waits for the programs of a pipeline; returns the status of the last, negative for a signal's number."""
    return [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children][-1]


def _has_threads() -> bool:
    """Whether there are others in Python, which may hold locks that nobody would free in a child."""
    threading = sys.modules.get("threading")
    return threading is not None and threading.active_count() > 1


def _programs(command: str) -> list[list[str]]:
    """The words of each program; one with an asterisk stands for the files that it fits, if there are any."""
    programs: list[list[str]] = [[]]
    for token in _TOKENS.findall(command):
        if token == "|":
            programs.append([])
        elif token[0] in "'\"":
            programs[-1].append(token[1:-1])
        elif "*" in token:
            import glob

            programs[-1] += sorted(glob.glob(token), key=encode) or [token]
        else:
            programs[-1].append(token)
    return programs


def _find(name: str) -> str:
    """The file that a shell would execute; "" where there is none."""
    folders = [""] if "/" in name else os.get_exec_path()
    paths = (os.path.join(folder, name) for folder in folders)
    return next((path for path in paths if os.access(path, os.X_OK) and os.path.isfile(path)), "")


def _spawn(path: str, arguments: list[str], source: int, target: int) -> int:
    """A program that is not ours, between these ends of pipes; its process id. It costs a fifth of a fork."""
    ends = [(os.POSIX_SPAWN_DUP2, target, 1)]
    if source >= 0:
        ends.append((os.POSIX_SPAWN_DUP2, source, 0))
    usual = [signal.SIGPIPE, signal.SIGXFSZ]  # Python ignores them, and what it executes would too
    return os.posix_spawn(path, arguments, os.environ, file_actions=ends, setsigdef=usual)


def _become(script: str, arguments: list[str], source: int, target: int) -> NoReturn:
    """In the child: one of our programs, between these ends of pipes."""
    status = 1
    try:
        if source >= 0:
            os.dup2(source, 0)
        os.dup2(target, 1)
        os.closerange(3, os.sysconf("SC_OPEN_MAX"))
        status = run_script(script, arguments)
    except BaseException as error:  # whatever it is must not go on in the parent's place
        os.write(2, encode(f"{script}: {error}\n"))
    finally:
        os._exit(status)

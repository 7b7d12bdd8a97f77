"""What a process that the fork server has forked takes over from the launcher that called it (Linux, from /proc).

Afterwards the two can be told apart by their process ids alone: arguments, environment, directory, umask, ignored
signals, process group, niceness, processors and limits are the caller's, as are all files.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import resource
import signal
import socket
import struct
from collections.abc import Mapping

# What is read when Python or a library is imported: it must be to the server what it is to the caller.
_READ_AT_IMPORT = (
    *(b"PYTHON", b"LD_", b"LC_", b"LANG", b"TZ=", b"MALLOC_", b"GLIBC_", b"OMP_", b"KMP_", b"GOMP_", b"OPENBLAS_"),
    *(b"GOTO_", b"MKL_", b"BLIS_", b"NPY_", b"NUMPY_", b"TORCH", b"PYTORCH"),
)
# The same for both where one may stand in for the other: links below /proc/PID.
_SAME_PLACE = ("root", "ns/mnt", "ns/pid", "ns/net", "ns/user")
_SIGNALS = (
    *(signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2, signal.SIGALRM),
    *(signal.SIGCHLD, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU),
)
_LIMITS = [getattr(resource, name) for name in dir(resource) if name.startswith("RLIMIT_")]


class CannotStandInError(Exception):
    """The caller has something that a fork of this server cannot have: it must run the program itself."""


def credentials(connection: socket.socket) -> tuple[int, int, int]:
    """Process, user and group at the other end of a UNIX socket, as the kernel knows them."""
    return struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))


def take_over(pid: int) -> list[str]:
    """Makes this process like the launcher; returns its arguments, argv[0] included.

    Raises CannotStandInError, or OSError when it has ended.
    """
    caller = f"/proc/{pid}"
    for name in _SAME_PLACE:
        if os.readlink(f"/proc/self/{name}") != os.readlink(f"{caller}/{name}"):
            raise CannotStandInError(name)
    if _contents("/proc/self/cgroup") != _contents(f"{caller}/cgroup"):
        raise CannotStandInError("cgroup")
    environment = _strings(f"{caller}/environ")
    if _import_settings(environment) != _import_settings(_strings("/proc/self/environ")):
        raise CannotStandInError("environment")
    arguments = [os.fsdecode(argument) for argument in _strings(f"{caller}/cmdline")]
    status = _contents(f"{caller}/status")
    _take_over_environment(dict(entry.partition(b"=")[::2] for entry in environment if entry.find(b"=") > 0))
    os.chdir(f"{caller}/cwd")
    os.umask(int(_status_field(status, b"Umask"), 8))
    _take_over_signals(int(_status_field(status, b"SigIgn"), 16))
    try:
        _take_over_resources(pid)
    except (PermissionError, ValueError) as error:
        raise CannotStandInError("resources") from error
    return arguments


def take_over_files(files: Mapping[int, int], kept: list[int]) -> list[int]:
    """Leaves only these files open: ``files`` says which one gets which number, the keys; it is inherited further on.

    Returns the numbers that those of ``kept`` have afterwards, which are not inherited.
    """
    above = max(files, default=0) + 1
    moved = {number: fcntl.fcntl(file, fcntl.F_DUPFD_CLOEXEC, above) for number, file in files.items()}
    kept = [fcntl.fcntl(file, fcntl.F_DUPFD_CLOEXEC, above) for file in kept]
    for number, file in moved.items():
        os.dup2(file, number)
    wanted = {*files, *kept}
    for name in os.listdir("/proc/self/fd"):
        if int(name) not in wanted:
            with contextlib.suppress(OSError):  # that of the list itself
                os.close(int(name))
    return kept


def _contents(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def _strings(path: str) -> list[bytes]:
    """Of a file of strings, each with a zero byte after it."""
    return _contents(path).split(b"\0")[:-1]


def _import_settings(environment: list[bytes]) -> list[bytes]:
    return sorted(entry for entry in environment if entry.startswith(_READ_AT_IMPORT))


def _status_field(status: bytes, name: bytes) -> bytes:
    """A number of /proc/PID/status."""
    match = re.search(rb"^" + name + rb":\s*(\w+)", status, re.M)
    if match is None:
        raise CannotStandInError(os.fsdecode(name))
    return match[1]


def _take_over_environment(environment: Mapping[bytes, bytes]) -> None:
    """Changes only what is different: writing to memory that is the server's, too, is what a fork costs."""
    own = dict(os.environb)
    for name in own.keys() - environment.keys():
        del os.environb[name]
    for name, value in environment.items():
        if own.get(name) != value:
            os.environb[name] = value


def _take_over_signals(ignored: int) -> None:
    """``ignored`` has a bit for each signal, the lowest for the first."""
    for number in _SIGNALS:
        usual = signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL
        signal.signal(number, signal.SIG_IGN if ignored >> (number - 1) & 1 else usual)


def _take_over_resources(pid: int) -> None:
    with contextlib.suppress(PermissionError):  # of another session: then the launcher sends them on
        os.setpgid(0, os.getpgid(pid))  # so that the terminal's signals reach both
    niceness = os.getpriority(os.PRIO_PROCESS, pid)
    if niceness != os.getpriority(os.PRIO_PROCESS, 0):
        os.setpriority(os.PRIO_PROCESS, 0, niceness)
    processors = os.sched_getaffinity(pid)
    if processors != os.sched_getaffinity(0):
        os.sched_setaffinity(0, processors)
    for kind in _LIMITS:
        limits = resource.prlimit(pid, kind)
        if limits != resource.getrlimit(kind):
            resource.setrlimit(kind, limits)

"""One trainer at a time in a directory: two would remove each other's checkpoints.

A record lock belongs to a process and ends with it, even by kill -9, while the workers that read its data may live a
little longer: these would keep a lock of flock(2), which they inherit.
"""

from __future__ import annotations

import errno
import fcntl
import os
import socket
import time
from pathlib import Path
from types import TracebackType

from kaldi_bridge import log
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.text import encode, shown, strip

NAME = ".lock"


class RunLock:
    """Held from ``with`` to its end, or the process's. The file stays: it says who held the lock last."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._fd = -1

    def __enter__(self) -> RunLock:
        """Raises KaldiError, which says who trains in the directory, where somebody does."""
        path = self._folder / NAME
        try:
            self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        except OSError as error:
            raise KaldiError(f"cannot write {path}: {error.strerror}") from None
        try:
            fcntl.lockf(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = strip(os.pread(self._fd, 1000, 0))
            self._close()
            if error.errno not in (errno.EACCES, errno.EAGAIN):
                log.warning(f"{path} cannot be locked ({error.strerror}): let no other trainer work there meanwhile")
                return self
            raise KaldiError(
                f"another trainer is at work in {self._folder}: {shown(holder, 200) if holder else 'since just now'}. "
                "Wait for its end, stop it, or train in another directory"
            ) from None
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, encode(f"process {os.getpid()} on {socket.gethostname()} since {time.ctime()}\n"), 0)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def _close(self) -> None:
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)

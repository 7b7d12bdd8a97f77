"""The fork server of a shell: starts our programs as forks of a process that has Python and NumPy already.

What Kaldi's scripts start thousands of times is a launcher (csrc/launcher.c), which connects to this server and sends
its open files; the server forks, and the fork takes over what else the launcher has (caller.py) and becomes the
program. The launcher waits and ends as the program ends; when the launcher is killed, so is the program.

Each program tells at its end what it has imported, and the server imports that too, so that the next one has it. Where
that was torch, the server forks another one, which imports torch, and passes it the calls of this program from then on:
a fork of it costs more, and the others need none.

A program that was installed again since the server began is left to its launcher, which starts it anew: the server has
the modules of before.

The server ends with the shell that it was made for, after the programs that still run; nothing new is begun then.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import resource
import selectors
import signal
import socket
import struct
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.forked_programs import run_script, script_of
from kaldi_bridge.io.text import decode, encode
from nnet3_compat.machine.caller import CannotStandInError, credentials, take_over, take_over_files

VARIABLE = "NNET_PYTORCH_FORK_SERVER"  # the folder of the socket, for the launcher
_RUNNING, _EXITED = 1, 2  # answers to the launcher, with the process id, with the status as of wait()
_ANSWER = struct.Struct("2i")
_MOST_FILES = 253  # that the kernel sends in one message
_LONGEST_MESSAGE = 200_000
_LONGEST_PLACE = 60  # of the folder of sockets, whose names the kernel bounds at 107 bytes
_CALL, _IMPORT = b"C", b"I"  # what is passed to the server that has torch
_WHOLE = ("kaldi_bridge", "nnet3_compat", "steps_pytorch", "numpy")  # packages of which each module counts


class Listener:
    """The socket that launchers connect to, in a folder of its own that nobody else can enter."""

    def __init__(self, links: Path) -> None:
        """``links``: the directory whose ``launch/`` holds the launchers; they know the socket by its name.

        Raises KaldiError where a socket cannot be made.
        """
        place = tempfile.gettempdir()
        self.folder = Path(
            tempfile.mkdtemp(prefix="nnet-pytorch-", dir=place if len(place) <= _LONGEST_PLACE else "/tmp")
        )
        self._path = self.folder / links.name
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            self.socket.bind(str(self._path))
        except OSError as error:
            self.folder.rmdir()
            raise KaldiError(f"cannot make a socket in {self.folder}: {error} (TMPDIR says where)") from error
        self.socket.listen(socket.SOMAXCONN)
        self.socket.setblocking(False)

    def remove(self) -> None:
        """From the file system, also where somebody else has done so."""
        with contextlib.suppress(OSError):
            self._path.unlink()
        with contextlib.suppress(OSError):
            self.folder.rmdir()


@dataclass(frozen=True)
class _Call:
    """What a launcher wants: a program, by its name in the links, with files under these numbers."""

    connection: socket.socket
    message: bytes
    files: list[int]

    @property
    def numbers(self) -> tuple[int, ...]:
        return struct.unpack_from(f"{len(self.files)}i", self.message)

    @property
    def name(self) -> str:
        return decode(self.message[4 * len(self.files) :])

    def close(self) -> None:
        for file in self.files:
            os.close(file)


class ForkServer:
    """Waits for calls, for the ends of programs and launchers, and for what programs have imported."""

    def __init__(self, links: Path, began: int, with_torch: bool = False) -> None:
        """``began``: the time since which the modules may have been imported, in nanoseconds."""
        self._links = links
        self._began = began
        self._with_torch = with_torch
        self._calls_torch: set[str] = set()  # names of programs
        self._torch_server: socket.socket | None = None
        self._events = selectors.DefaultSelector()
        self._programs = 0
        self._open = True
        self._imports, self._imports_of_programs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._imports_of_programs.setblocking(False)
        self._watch(self._imports, self._learn)

    def serve_shell(self, listener: Listener, shell: int) -> None:
        """Until the shell has ended, which ``shell`` is a pidfd of, or SIGTERM comes, and then all programs."""
        terminated, terminate = socket.socketpair()

        def close() -> None:
            listener.remove()
            for file in (listener.socket, shell, terminated):
                self._events.unregister(file)
            listener.socket.close()
            self._open = False

        self._watch(listener.socket, lambda: self._accept(listener.socket))
        self._watch(shell, close)
        self._watch(terminated, close)
        signal.signal(signal.SIGTERM, lambda *_: terminate.close())
        try:
            self._serve()
        finally:
            listener.remove()

    def serve_server(self, channel: socket.socket) -> None:
        """Of calls that another server passes on, until that one has ended, and then all programs."""

        def receive() -> None:
            message, files, _, _ = socket.recv_fds(channel, _LONGEST_MESSAGE, _MOST_FILES)
            if message[:1] == _CALL:
                connection = socket.socket(fileno=files[0])
                self._start(_Call(connection, message[1:], files[1:]))
            elif message[:1] == _IMPORT:
                self._import(message[1:])
            else:
                self._events.unregister(channel)
                self._open = False

        self._watch(channel, receive)
        self._serve()

    def _serve(self) -> None:
        while self._open or self._programs:
            for key, _ in self._events.select():
                if key in self._events.get_map().values():  # not taken out by one before it
                    key.data()

    def _watch(self, file: socket.socket | int, react: Callable[[], None]) -> None:
        self._events.register(file, selectors.EVENT_READ, react)

    def _accept(self, listening: socket.socket) -> None:
        try:
            connection, _ = listening.accept()
        except BlockingIOError:
            return
        except OSError:
            time.sleep(0.1)  # no more files: they come back when programs end
            return
        if credentials(connection)[1:] == (os.geteuid(), os.getegid()):
            self._watch(connection, lambda: self._receive(connection))
        else:
            connection.close()

    def _receive(self, connection: socket.socket) -> None:
        """The launcher's only message."""
        self._events.unregister(connection)
        try:
            message, files, flags, _ = socket.recv_fds(connection, _LONGEST_MESSAGE, _MOST_FILES)
        except OSError:
            connection.close()
            return
        call = _Call(connection, message, files)
        if flags & (socket.MSG_TRUNC | socket.MSG_CTRUNC) or len(message) <= 4 * len(files) or "/" in call.name:
            call.close()
            connection.close()
        elif call.name in self._calls_torch and self._torch_server is not None:
            self._pass_on(call, self._torch_server)
        else:
            self._start(call)

    def _pass_on(self, call: _Call, server: socket.socket) -> None:
        with contextlib.suppress(OSError):  # when it has died, or is too busy: the launcher sees the connection closed
            socket.send_fds(server, [_CALL, call.message], [call.connection.fileno(), *call.files])
        call.close()
        call.connection.close()

    def _start(self, call: _Call) -> None:
        try:
            program = os.fork()
        except OSError:
            call.close()
            call.connection.close()
            return
        if program == 0:
            self._become(call)
        call.close()
        ended = os.pidfd_open(program)
        self._programs += 1
        self._watch(ended, lambda: self._end(program, ended, call.connection))
        self._watch(call.connection, lambda: self._kill(ended, call.connection))

    def _kill(self, program: int, connection: socket.socket) -> None:
        """The launcher has gone."""
        self._events.unregister(connection)
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(program, signal.SIGKILL)

    def _end(self, program: int, ended: int, connection: socket.socket) -> None:
        self._events.unregister(ended)
        os.close(ended)
        self._programs -= 1
        _, status = os.waitpid(program, 0)
        with contextlib.suppress(OSError):  # nobody waits for it any more
            connection.send(_ANSWER.pack(_EXITED, status))
        with contextlib.suppress(KeyError):
            self._events.unregister(connection)
        connection.close()

    def _become(self, call: _Call) -> NoReturn:
        """In the fork: the program."""
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        status = 1
        try:
            begun = self._take_over(call)
            if begun is not None:
                script, arguments, imports = begun
                before = set(sys.modules)
                status = run_script(script, arguments)
                _tell_imports(imports, call.name, before)
        except BaseException as error:
            sys.excepthook(type(error), error, error.__traceback__)
            if isinstance(error, KeyboardInterrupt):
                signal.signal(signal.SIGINT, signal.SIG_DFL)
                os.kill(os.getpid(), signal.SIGINT)
        finally:
            os._exit(status)

    def _take_over(self, call: _Call) -> tuple[str, list[str], int] | None:
        """The script, its arguments, and a file for what it has imported; None where the launcher must run it.

        The launcher is told that it has begun, or else sees the connection closed.
        """
        kept = [call.connection.fileno(), self._imports_of_programs.fileno()]
        caller, _, _ = credentials(call.connection)
        try:
            script = script_of(str(self._links / call.name))
            if script is None or os.stat(script).st_ctime_ns > self._began:  # another, or another version
                return None
            answers, imports = take_over_files(dict(zip(call.numbers, call.files, strict=True)), kept)
            arguments = take_over(caller)
            os.write(answers, _ANSWER.pack(_RUNNING, os.getpid()))
            os.close(answers)
        except (CannotStandInError, OSError):
            return None
        _set_name(call.name)
        return script, arguments, imports

    def _learn(self) -> None:
        message = self._imports.recv(_LONGEST_MESSAGE)
        name, _, modules = message.partition(b"\n")
        if self._with_torch or b"torch" not in modules.split(b"\n"):
            self._import(modules)
            return
        self._calls_torch.add(decode(name))
        if self._torch_server is None:
            self._start_torch_server()
        assert self._torch_server is not None
        with contextlib.suppress(OSError):
            self._torch_server.send(_IMPORT + modules)

    def _import(self, modules: bytes) -> None:
        for module in decode(modules).split("\n"):
            with contextlib.suppress(Exception):  # a program that needs it will say what is wrong
                importlib.import_module(module)
        gc.collect()
        gc.freeze()

    def _start_torch_server(self) -> None:
        """Another server for the calls of programs that import torch."""
        channel, far_end = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        channel.setblocking(False)
        if os.fork():
            far_end.close()
            self._torch_server = channel
            return
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        status = 1
        try:
            files = {number: number for number in range(3)}
            (end,) = take_over_files(files, [far_end.fileno()])
            ForkServer(self._links, self._began, with_torch=True).serve_server(socket.socket(fileno=end))
            status = 0
        finally:
            os._exit(status)


def serve(listener: Listener, links: Path, shell: int) -> None:
    """In a process of its own, which it makes independent of the shell's files, folder and terminal's signals."""
    began = time.time_ns()
    os.setpgid(0, 0)
    os.chdir("/")
    null = os.open(os.devnull, os.O_RDWR)
    for number in range(3):
        os.dup2(null, number)
    os.close(null)
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    gc.disable()
    importlib.import_module("kaldi_bridge.tables")
    listener.socket.listen(socket.SOMAXCONN)  # again, so that launchers see this process as the one that listens
    ForkServer(links, began).serve_shell(listener, shell)


def _set_name(name: str) -> None:
    """What ``ps`` and ``top`` show."""
    with contextlib.suppress(OSError):
        Path("/proc/self/comm").write_bytes(encode(name)[:15])


def _tell_imports(connection: int, name: str, before: set[str]) -> None:
    """In the order in which they were begun: kaldifst, say, must not come before kaldi_hmm_gmm."""
    new = [module for module in sys.modules if module not in before]
    told = [module for module in new if "." not in module or module.partition(".")[0] in _WHOLE]
    if told:
        with contextlib.suppress(OSError):  # too many at once: another time
            os.write(connection, encode("\n".join([name, *told])))

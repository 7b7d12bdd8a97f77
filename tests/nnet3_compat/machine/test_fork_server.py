"""The fork server: a program that it runs is, in everything one can see, the one that the shell would have started."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import select
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from nnet3_compat.machine.fork_server import VARIABLE
from nnet3_compat.machine.links import LAUNCHER, fork_server_file, make_launchers, make_links
from tests.helpers.places import ROOT

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="there are fork servers on Linux only")
BIN = Path(sys.executable).parent
SERVER = "nnet-pytorch-fo"  # as the kernel cuts the name
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "LC_ALL": "C"}


def wait_until(true: Callable[[], object], seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it takes too long"
        time.sleep(0.01)


def is_running(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


@dataclass
class Shell:
    """Something that a server was made for; ``launchers`` is the directory of programs."""

    launchers: Path
    process: subprocess.Popen[bytes]
    environment: dict[str, str]

    @property
    def folder(self) -> Path:
        return Path(self.environment[VARIABLE])

    def start(self, command: str, **options: object) -> subprocess.Popen[str]:
        path = f"{self.launchers}:{self.environment['PATH']}"
        shell = ["bash", "-c", f"PATH={shlex.quote(path)}; {command}"]
        defaults = {"env": self.environment, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        return subprocess.Popen(shell, **{**defaults, **options})  # type: ignore[call-overload, no-any-return]

    def run(self, command: str, **options: object) -> tuple[int, str, str]:
        process = self.start(command, **options)
        out, err = process.communicate(timeout=60)
        return process.returncode, out, err

    def waiting(self, command: str, **options: object) -> tuple[subprocess.Popen[str], int]:
        """A command with ``probe wait FILE`` in it, and the process that waits."""
        file = self.launchers.parents[2] / "waiting"
        file.unlink(missing_ok=True)
        process = self.start(command.replace("FILE", str(file)), **options)
        wait_until(lambda: file.exists() and file.read_text())
        return process, int(file.read_text())

    def server(self) -> int:
        """Its process id."""
        _, out, _ = self.run("probe parent & wait")
        assert out == f"{SERVER}\n"
        for status in Path("/proc").glob("[0-9]*/status"):
            with contextlib.suppress(OSError):
                if str(self.folder) in (status.parent / "net/unix").read_text() and self._serves(status.parent):
                    return int(status.parent.name)
        raise AssertionError("there is no server")

    def _serves(self, process: Path) -> bool:
        sockets = {os.readlink(file) for file in (process / "fd").iterdir()}
        lines = (process / "net/unix").read_text().splitlines()
        return any(f"socket:[{line.split()[6]}]" in sockets for line in lines if str(self.folder) in line)


@contextlib.contextmanager
def shell(folder: Path, environment: dict[str, str] = ENVIRONMENT, closed: str = "") -> Iterator[Shell]:
    """``closed``: redirections of the server's standard files."""
    script = folder / "bin/nnet-pytorch-probe"
    script.parent.mkdir(parents=True)
    script.write_text(f"#!{sys.executable}\n{(ROOT / 'tests/helpers/probe_program.py').read_text()}")
    script.chmod(0o755)
    links = make_links(folder, {"probe": script, "copy-feats": BIN / "nnet-pytorch-copy-feats"})
    launchers = make_launchers(links)
    process = subprocess.Popen(["cat"], stdin=subprocess.PIPE)
    server = ["bash", "-c", f'exec "$@" {closed}', "bash", BIN / "nnet-pytorch-fork-server", "--print-args=false"]
    server += [links, str(process.pid)]
    made = subprocess.run(server, env=environment, stdout=subprocess.PIPE, text=True, check=True, timeout=60)
    try:
        yield Shell(launchers, process, {**environment, VARIABLE: made.stdout.rstrip("\n")})
    finally:
        process.kill()
        process.wait()
        wait_until(lambda: not os.path.exists(made.stdout.rstrip("\n")))


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    with shell(tmp_path_factory.mktemp("served")) as made:
        yield made


@pytest.mark.parametrize(
    "command",
    [
        "probe",
        "cd /; umask 027; nice -n 3 probe state 'a  b' '' \"$(printf 'x\\ny')\"",
        "ulimit -n 99; ulimit -St 1234; A='1 = 2' LC_X=$'\\xff' probe",
        "mkdir gone; cd gone; rmdir ../gone; cd /tmp; exec 7</dev/null 40>>log; probe 9<log",
        "trap '' HUP INT; probe",
        "set -m; (probe; true) & wait",
        "taskset -c 0 probe",
        "probe <&-",
        "probe 2>&-",
        "exec -a other probe",
    ],
)
def test_as_if_it_had_been_started(served: Shell, tmp_path: Path, command: str) -> None:
    """Also when nothing but the server's being there is different."""
    states = []
    for environment in (served.environment, {**served.environment, VARIABLE: "/nowhere"}):
        status, out, err = served.run(command, cwd=tmp_path, env=environment, stdin=subprocess.DEVNULL)
        assert status == 0, err
        state = json.loads(out)
        assert state["environment"].pop(VARIABLE) == environment[VARIABLE]
        del state["group"]
        state["environment"].pop("_", None)
        state["files"].pop("1", None), state["files"].pop("2", None)  # pipes, each time others
        states.append(state)
    assert states[0] == states[1]


def test_it_is_forked_in_the_same_group(served: Shell) -> None:
    assert served.run("probe parent; true") == (0, f"{SERVER}\n", "")
    _, out, _ = served.run("probe; ps -o pgid= $$")
    state, _, group = out.partition("\n")
    assert json.loads(state)["group"] == int(group)


def test_exit_statuses(served: Shell) -> None:
    for status in (0, 1, 141, 255):
        assert served.run(f"probe exit {status}") == (status, "", "")
    assert served.run("probe exit message") == (1, "", "message\n")
    status, _, err = served.run("probe raise")
    assert status == 1 and "ValueError: raised" in err
    for number in (signal.SIGTERM, signal.SIGKILL, signal.SIGSEGV, signal.SIGINT):
        status, _, _ = served.run(f"exec probe die {int(number)}")
        assert status == -number
    assert served.run("probe exit 1 2>&- >&- <&-") == (1, "", "")


def test_pipes_and_process_substitution(served: Shell, tmp_path: Path) -> None:
    (tmp_path / "a.ark").write_text("a  [\n  1 2 \n  3 4 ]\n")
    text = (tmp_path / "a.ark").read_text()
    for command in (
        "copy-feats ark:a.ark ark:- | copy-feats ark:- ark,t:-",
        "copy-feats ark:<(cat a.ark) ark,t:>(cat)",
        "cat a.ark | copy-feats 'ark:copy-feats ark:- ark:- |' 'ark,t:| cat'",
        "copy-feats 'ark:(cat a.ark; true) | copy-feats ark:- ark:- |' ark,t:-",
        "copy-feats ark:- ark,t:- < a.ark",
    ):
        status, out, err = served.run(command, cwd=tmp_path)
        assert (status, out) == (0, text), err
        assert "fork server" not in err
    many = "".join(f"{n} [ 1 2 3 ]\n" for n in range(50000))
    (tmp_path / "many.ark").write_text(many)
    reader = "copy-feats ark:many.ark ark,t:- | head -c 5; echo ${PIPESTATUS[0]}"
    assert served.run(reader, cwd=tmp_path)[1] == "0  [\n141\n"
    # Who writes to it must be told when it reads no more, though it has not ended.
    writer = f"(yes; touch {tmp_path}/told) | probe close {tmp_path}/told"
    assert served.run(writer)[0] == 0


def test_signals_reach_it(served: Shell) -> None:
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1):
        for session in (False, True):
            launcher, program = served.waiting("exec probe wait FILE", start_new_session=session)
            launcher.send_signal(number)
            launcher.communicate(timeout=20)
            assert not is_running(program)
            assert launcher.returncode == -number
    launcher, program = served.waiting("exec probe wait FILE")
    launcher.kill()
    launcher.communicate(timeout=20)
    wait_until(lambda: not is_running(program))


def test_in_a_terminal(served: Shell) -> None:
    """It can read from the terminal, and Ctrl-C ends it."""
    file = served.launchers.parents[2] / "in_terminal"
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ.update(served.environment)
        os.execv(
            "/bin/bash", ["bash", "-c", f"{served.launchers}/probe line; exec {served.launchers}/probe wait {file}"]
        )
    os.write(terminal, b"typed\n")
    said = b""
    while said.count(b"typed") < 2:  # its echo, and the program's
        assert select.select([terminal], [], [], 20)[0]
        said += os.read(terminal, 1000)
    wait_until(lambda: file.exists() and file.read_text())
    os.write(terminal, b"\x03")
    wait_until(lambda: not is_running(int(file.read_text())))
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGINT
    os.close(terminal)


def test_many_at_once(served: Shell, tmp_path: Path) -> None:
    (tmp_path / "a.ark").write_text("a  [\n  1 2 \n  3 4 ]\n")
    each = "(copy-feats ark:a.ark ark,t:$n.ark 2>/dev/null || echo failed) &"
    assert served.run(f"for n in $(seq 20); do {each} done; wait", cwd=tmp_path) == (0, "", "")
    assert {(tmp_path / f"{n + 1}.ark").read_text() for n in range(20)} == {(tmp_path / "a.ark").read_text()}


def test_it_is_started_where_the_server_cannot_stand_in(served: Shell, tmp_path: Path) -> None:
    """Other settings at import, a folder that others may enter or of another user, a socket that nobody listens at."""
    assert served.run("OMP_NUM_THREADS=2 probe parent; true") == (0, "bash\n", "")
    assert served.run("PYTHONPATH=/nowhere probe parent; true") == (0, "bash\n", "")
    assert served.run(f"{VARIABLE}= probe parent; true") == (0, "bash\n", "")
    key = served.launchers.parent.name
    place = tmp_path / "place"
    place.mkdir(mode=0o700)
    (place / key).symlink_to(served.folder / key)
    asked = f"{VARIABLE}={place} probe parent; true"
    assert served.run(asked) == (0, f"{SERVER}\n", "")
    place.chmod(0o750)
    assert served.run(asked) == (0, "bash\n", "")
    place.chmod(0o700)
    if os.geteuid() == 0:
        os.chown(place, 12345, 0)
        assert served.run(asked) == (0, "bash\n", "")
        os.chown(place, 0, 0)
    (place / key).unlink()
    (place / key).touch()
    assert served.run(asked) == (0, "bash\n", "")
    status, _, err = served.run(f"mkdir -p a/launch; ln -sf {LAUNCHER} a/launch/b; a/launch/b", cwd=tmp_path)
    assert status == 127 and err == f"{tmp_path}/a/b: No such file or directory\n"


def test_a_program_that_was_installed_again(tmp_path: Path) -> None:
    """The server has the modules of before, so the launcher starts it; or says that it is gone."""
    with shell(tmp_path) as one:
        assert one.run("probe parent; true") == (0, f"{SERVER}\n", "")
        script = tmp_path / "bin/nnet-pytorch-probe"
        content = script.read_text()
        script.unlink()
        status, _, err = one.run("probe parent")
        assert status == 127 and "Traceback" not in err
        script.write_text(content)
        script.chmod(0o755)
        assert one.run("probe parent; true") == (0, "bash\n", "")


def test_the_server_ends_with_its_shell(tmp_path: Path) -> None:
    """But not before the programs that run."""
    with shell(tmp_path) as one:
        server = one.server()
        launcher, program = one.waiting("exec probe wait FILE")
        one.process.kill()
        wait_until(lambda: not one.folder.exists())
        assert is_running(server) and is_running(program)
        assert one.run("probe parent; true") == (0, "bash\n", "")
        launcher.terminate()
        launcher.communicate(timeout=20)
        assert launcher.returncode == -signal.SIGTERM
        wait_until(lambda: not is_running(server))


def test_the_server_is_terminated(tmp_path: Path) -> None:
    """It ends as if its shell had."""
    with shell(tmp_path) as one:
        server = one.server()
        launcher, program = one.waiting("exec probe wait FILE")
        os.kill(server, signal.SIGTERM)
        wait_until(lambda: not one.folder.exists())
        assert is_running(server) and is_running(program)
        assert one.run("probe parent; true") == (0, "bash\n", "")
        launcher.terminate()
        launcher.communicate(timeout=20)
        assert launcher.returncode == -signal.SIGTERM
        wait_until(lambda: not is_running(server))


def test_standard_files_may_be_closed(tmp_path: Path) -> None:
    with shell(tmp_path, closed="<&- 2>&-") as one:
        for _ in range(3):
            assert one.run("probe parent & wait") == (0, f"{SERVER}\n", "")


def test_a_long_name_of_the_place_for_sockets(tmp_path: Path) -> None:
    """The kernel bounds a socket's name."""
    place = tmp_path / ("long" * 25)
    place.mkdir()
    with shell(tmp_path, {**ENVIRONMENT, "TMPDIR": str(place)}) as one:
        assert one.folder.parent == Path("/tmp")
        assert one.run("probe parent & wait") == (0, f"{SERVER}\n", "")


def test_the_server_is_killed(tmp_path: Path) -> None:
    with shell(tmp_path) as one:
        server = one.server()
        launcher, program = one.waiting("exec probe wait FILE")
        os.kill(server, signal.SIGKILL)
        _, err = launcher.communicate(timeout=20)
        assert launcher.returncode == 255 and "fork server was killed" in err
        wait_until(lambda: not is_running(program))
        assert one.run("probe parent; true") == (0, "bash\n", "")
        (one.folder / one.launchers.parent.name).unlink()
        one.folder.rmdir()


def test_the_server_is_stopped(tmp_path: Path) -> None:
    """Nobody waits for it: programs run without it, and those that it has begun end as they do."""
    with shell(tmp_path) as one:
        server = one.server()
        ended, program = one.waiting("exec probe wait FILE")
        os.kill(server, signal.SIGSTOP)
        wait_until(lambda: "\nState:\tT" in Path(f"/proc/{server}/status").read_text())
        try:
            assert one.run("probe parent; true") == (0, "bash\n", "")
            os.kill(program, signal.SIGTERM)
            ended.communicate(timeout=20)
            assert ended.returncode == -signal.SIGTERM
        finally:
            os.kill(server, signal.SIGCONT)
        assert one.run("probe parent; true") == (0, f"{SERVER}\n", "")


def test_torch_is_imported_once(tmp_path: Path) -> None:
    """By a server of its own; a module in torch's place shows it."""
    (tmp_path / "torch.py").write_text(
        "class ones:\n"
        "    def __init__(self, *size): pass\n"
        "    def __matmul__(self, other): return self\n"
        "    def sum(self): return 2.7e7\n"
    )
    _, out, _ = torch_calls(tmp_path, {**ENVIRONMENT, "PYTHONPATH": str(tmp_path)})
    assert out == "not yet\n27000000.0\nthere\n27000000.0\n" + f"{SERVER}\n"


@pytest.mark.slow
@pytest.mark.parametrize("threads", ["1", "2"])
def test_torch_computes_in_forks(tmp_path: Path, threads: str) -> None:
    _, out, err = torch_calls(tmp_path, {**ENVIRONMENT, "OMP_NUM_THREADS": threads})
    assert out == "not yet\n27000000.0\nthere\n27000000.0\n" + f"{SERVER}\n", err


def torch_calls(folder: Path, environment: dict[str, str]) -> tuple[int, str, str]:
    with shell(folder / "shell", environment) as one:
        return one.run(
            "probe torch; while [ $(probe torch | head -1) != there ]; do :; done; probe torch; probe parent; true"
        )


def test_the_shell_file(tmp_path: Path) -> None:
    """Sourced again, and by the scripts of a script, it makes no second server; it bears strict shells."""
    links = make_links(tmp_path / "it's here", {"copy-feats": BIN / "nnet-pytorch-copy-feats"})
    file = shlex.quote(str(fork_server_file(make_launchers(links), BIN)))
    inner = f"PATH=/first:$PATH; . {file}; echo ${VARIABLE} $PATH"
    script = f"set -eu; unset {VARIABLE}; . {file}; . {file}; echo ${VARIABLE} $PATH; sh -c {shlex.quote(inner)}; wait"
    environment = {**ENVIRONMENT, "PATH": "/usr/bin:/bin"}
    made = subprocess.run(["sh", "-c", f"{VARIABLE}=x; {script}"], env=environment, capture_output=True, text=True)
    assert made.returncode == 0 and made.stderr == ""
    first, second = made.stdout.splitlines()
    server, _, path = first.partition(" ")
    assert path == f"{links}/launch:/usr/bin:/bin"
    assert second == f"{server} {links}/launch:/first:{path}"
    wait_until(lambda: not os.path.exists(server))

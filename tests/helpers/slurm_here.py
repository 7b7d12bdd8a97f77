"""A Slurm of one node on this machine, of Debian's packages slurm-wlm and munge, all in one folder."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scancel")
MISSING = [name for name in PROGRAMS if not shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin")]

CONFIG = """
ClusterName=here
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller_port}
SlurmdPort={node_port}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=sched_min_interval=0,batch_sched_delay=0
SlurmdParameters=config_overrides
SlurmdTimeout=4
JobRequeue=0
KillWait=1
ReturnToService=2
NodeName={host} NodeAddr=127.0.0.1 CPUs=4 RealMemory=1000 State=UNKNOWN
PartitionName=all Nodes={host} Default=YES State=UP
"""


class SlurmHere:
    """``environment`` is what its programs need."""

    def __init__(self, folder: Path) -> None:
        host = socket.gethostname().split(".")[0]
        ports = _free_ports(2)
        self.folder = folder
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.environment = {
            **os.environ,
            "PATH": os.environ["PATH"] + ":/usr/sbin",
            "SLURM_CONF": str(folder / "slurm.conf"),
        }
        for name in ("state", "spool"):
            (folder / name).mkdir()
        folder.chmod(0o755)  # munged looks
        (folder / "key").write_bytes(os.urandom(128))
        (folder / "key").chmod(0o600)
        (folder / "slurm.conf").write_text(
            CONFIG.format(
                folder=folder, host=host, user=getpass.getuser(), controller_port=ports[0], node_port=ports[1]
            )
        )
        files = {"key-file": "key", "socket": "munge.socket", "pid-file": "munge.pid", "seed-file": "munge.seed"}
        self.start("munged", "--force", "--foreground", *(f"--{k}={folder / v}" for k, v in files.items()))
        self.start("slurmctld", "-D", "-i")
        self.start_node()

    def start_node(self) -> None:
        self.start("slurmd", "-D")
        self.wait_for(["sinfo", "-h", "-o", "%T"], "idle")

    def start(self, *command: str) -> None:
        with open(self.folder / f"{command[0]}.log", "ab") as log:
            self.processes[command[0]] = subprocess.Popen(
                command, env=self.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    def wait_for(self, command: list[str], said: str, seconds: float = 30) -> str:
        """What a program says, once ``said`` is in it."""
        end = time.monotonic() + seconds
        while True:
            result = subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=20)
            if said in result.stdout:
                return result.stdout
            if time.monotonic() > end:
                logs = [path.read_text(errors="replace")[-1500:] for path in self.folder.glob("*.log")]
                raise TimeoutError("\n".join([f"{command}: {result.stdout}{result.stderr}", *logs]))
            time.sleep(0.2)

    def kill(self, name: str) -> None:
        self.processes[name].kill()
        self.processes[name].wait()

    def close(self) -> None:
        for process in reversed(self.processes.values()):
            process.terminate()
        for process in self.processes.values():
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


@contextmanager
def slurm_here(folder: Path) -> Iterator[SlurmHere]:
    slurm = SlurmHere(folder)
    try:
        yield slurm
    finally:
        slurm.close()


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports

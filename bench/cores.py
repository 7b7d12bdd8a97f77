"""What a second core gains: programs that compute and search, with one thread and with two.

    python bench/cores.py [--repeat=40] [--rounds=2] [--shared=../shared]

On the recorded digits of the reference, 205 utterances of 1.8 s on average, each --repeat times: a small network and a
small graph, so that what is not divided among the threads weighs the most. Runs with one thread and with two take
turns, each the best of its rounds, start-up included. On a machine that has other work the clock says little: then the
processor's time should be the same with two threads as with one, and the column "busy" says how many of two cores the
program would have used had it been alone: the mean number of its threads that ran or waited for a processor, at most
two. "2 programs" is what the machine allows: two programs of one thread at once, which share nothing but caches and
memory, against one after the other.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from kaldi_bridge.tables import SequentialReader, TableWriter
from kaldi_bridge.tables.holders import FLOAT_MATRIX

PERIOD = 0.005
"""Seconds between looks at the threads."""

NETWORK = "--frame-subsampling-factor=3"
SEARCH = "--acoustic-scale=1.0 --beam=15 --lattice-beam=8"
CASES = {
    "compute-batch": f"compute-batch {NETWORK} {{model}} ark:hires.ark ark:/dev/null",
    "latgen-faster-batch": f"latgen-faster-batch {{threads}} {NETWORK} {SEARCH} {{model}} {{graph}} "
    "ark:hires.ark ark:/dev/null",
    "latgen-faster-parallel": f"latgen-faster-parallel {{threads}} {NETWORK} {SEARCH} {{model}} {{graph}} "
    "ark:hires.ark ark:/dev/null",
    "latgen-faster-mapped-parallel": f"latgen-faster-mapped-parallel {{threads}} {SEARCH} {{model}} {{graph}} "
    "ark:scores.ark ark:/dev/null",
    "lattice-determinize-phone-pruned-parallel": "lattice-determinize-phone-pruned-parallel {threads} --beam=8 {model} "
    "ark:raw.lats ark:/dev/null",
    "gmm-latgen-faster-parallel": "gmm-latgen-faster-parallel {threads} --beam=13 --lattice-beam=6 {gmm} gmm/HCLG.fst "
    "ark:plain.ark ark:/dev/null",
}


@dataclass
class Run:
    """Seconds by the clock and of processors, and the mean number of cores, at most two, that were asked for."""

    wall: float
    processors: float
    busy: float


def run(command: str, threads: int, folder: Path) -> Run:
    """Of one of our programs, with so many threads on as many cores."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    process = started(command, threads, folder)
    looks = []
    while process.poll() is None:
        looks.append(min(2, running_threads(process.pid)))
        time.sleep(PERIOD)
    if process.returncode:
        raise SystemExit(f"{command} failed with status {process.returncode}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Run(time.perf_counter() - start, used, sum(looks) / len(looks))


def two_programs(command: str, folder: Path) -> float:
    """Seconds by the clock of two programs of one thread at once."""
    start = time.perf_counter()
    for process in [started(command, 1, folder) for _ in range(2)]:
        if process.wait():
            raise SystemExit(f"{command} failed with status {process.returncode}")
    return time.perf_counter() - start


def started(command: str, threads: int, folder: Path) -> subprocess.Popen[bytes]:
    """One of our programs, on two cores, with so many threads."""
    environment = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
    if threads == 1:
        environment["OMP_NUM_THREADS"] = "1"
    cores = sorted(os.sched_getaffinity(0))[:2]
    return subprocess.Popen(
        f"nnet-pytorch-{command}".format(threads=f"--num-threads={threads}").split(),
        env=environment,
        cwd=folder,
        stderr=subprocess.DEVNULL,
        preexec_fn=lambda: os.sched_setaffinity(0, cores),
    )


def running_threads(pid: int) -> int:
    """Threads of a process that run or wait for a processor (Linux)."""
    try:
        stats = [Path(task.path, "stat").read_text() for task in os.scandir(f"/proc/{pid}/task")]
    except OSError:  # it ended meanwhile
        return 0
    return sum(stat.rpartition(")")[2][:2] == " R" for stat in stats)


def repeated(source: Path, target: Path, times: int) -> None:
    """Writes a table's utterances several times under other names."""
    with SequentialReader(f"ark:{source}", FLOAT_MATRIX) as table:
        entries = list(table)
    with TableWriter(f"ark:{target}", FLOAT_MATRIX) as writer:
        for turn in range(times):
            for key, matrix in entries:
                writer.write(f"{turn}-{key}", matrix)


def prepare(fsdd: Path, folder: Path, repeat: int, names: dict[str, str]) -> None:
    """Tables of many utterances, and a graph for the GMM."""
    repeated(fsdd / "data/test_hires/feats.ark", folder / "hires.ark", repeat)
    commands = f"""
        nnet-pytorch-compute-batch {NETWORK} {names["model"]} ark:hires.ark ark:scores.ark
        nnet-pytorch-latgen-faster-mapped --determinize-lattice=false {SEARCH} {names["model"]} {names["graph"]} \
            ark:scores.ark ark:raw.lats
        cp -rL {fsdd}/lang .
        nnet-pytorch-make-graph lang {fsdd}/tri1 gmm  # leaves files in lang/tmp, as mkgraph.sh does
        nnet-pytorch-apply-cmvn --utt2spk=ark:{fsdd}/data/test/utt2spk ark:{fsdd}/data/test/cmvn.ark \
            ark:{fsdd}/data/test/feats.ark ark:- | nnet-pytorch-add-deltas ark:- ark:deltas.ark
    """
    shell = ["bash", "-e", "-o", "pipefail", "-c", commands]
    subprocess.run(shell, cwd=folder, check=True, stderr=subprocess.DEVNULL)
    repeated(folder / "deltas.ark", folder / "plain.ark", max(1, repeat // 10))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeat", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--shared", default=str(Path(__file__).resolve().parents[2] / "shared"))
    arguments = parser.parse_args()
    fsdd = (Path(arguments.shared) / "reference/fsdd").resolve()
    if not fsdd.is_dir():
        print(f"no {fsdd}: the digits of the reference are what this measures")
        return
    os.environ["PATH"] = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    names = {
        "model": f"{fsdd}/tdnnf_cmvn/final.mdl",
        "graph": f"{fsdd}/graph/HCLG.fst",
        "gmm": f"{fsdd}/tri1/final.mdl",
    }
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        prepare(fsdd, folder, arguments.repeat, names)
        heads = "".join(f"{head:>8}" for head in ("s", "s", "ratio", "cpu-s", "cpu-s"))
        print(f"{'one thread and two':<42}{heads}{'busy':>7}{'2 programs':>12}")
        for name, case in CASES.items():
            command = case.format(threads="{threads}", **names)
            rounds = [[run(command, threads, folder) for threads in (1, 2)] for _ in range(arguments.rounds)]
            pair = min(two_programs(command, folder) for _ in range(arguments.rounds))
            one, two = (min((each[i] for each in rounds), key=lambda r: r.wall) for i in (0, 1))
            print(
                f"{name:<42}{one.wall:8.2f}{two.wall:8.2f}{one.wall / two.wall:8.2f}{one.processors:8.2f}"
                f"{two.processors:8.2f}{two.busy:7.2f}{2 * one.wall / pair:12.2f}",
                flush=True,
            )


if __name__ == "__main__":
    main()

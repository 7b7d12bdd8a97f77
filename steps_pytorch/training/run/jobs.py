"""Kaldi's way to train on many machines: jobs through ``--cmd``, whose states are averaged after each iteration.

D. Povey, X. Zhang, S. Khudanpur, "Parallel training of DNNs with natural gradient and parameter averaging", ICLR 2015.
In iteration i, each of n jobs starts from checkpoint.<i-1>.pt, trains on its share of the minibatches that follow, and
writes jobs/<i>.<job>.pt. Their average is checkpoint.<i>.pt. A job that was killed is started once more; what others
have finished is kept, also for the next time.
"""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from kaldi_bridge import log
from kaldi_bridge.errors import KaldiError
from nnet3_compat.machine.recipes import recipes_folder
from steps_pytorch.group import Group
from steps_pytorch.objectives.base import Term
from steps_pytorch.training.optimizers.base import average_nested
from steps_pytorch.training.report.meter import Meter
from steps_pytorch.training.report.report import Report
from steps_pytorch.training.run.assembly import Assembly, assemble
from steps_pytorch.training.run.checkpoints import Checkpoints, load_state, save_state
from steps_pytorch.training.run.loop import EPSILON, Parts, end_iteration, train_until
from steps_pytorch.training.run.options import Run, RunOptions

ATTEMPTS = 2
OURS = ("run.py", "slurm.py", "queue.py")  # runners that pass words on as they are
_SAFE = "_./:@%+,=-"


def num_jobs(options: RunOptions, iteration: int) -> int:
    """Of an iteration, counted from 1: it grows linearly until the data were seen as often as there are epochs."""
    first, last = options.num_jobs_initial, options.num_jobs_final or options.num_jobs_initial
    iterations = max(2, int(options.num_epochs * options.iterations_per_epoch * 2 / (first + last)))
    return int(0.5 + first + (last - first) * min(1.0, (iteration - 1) / (iterations - 1)))


def train_by_jobs(assembly: Assembly, checkpoints: Checkpoints, report: Report) -> None:
    """As ``loop.train``, by jobs.

    Raises:
        KaldiError: a job failed twice; says where its log is.
    """
    run, parts = assembly.run, assembly.parts
    (run.folder / "jobs").mkdir(exist_ok=True)
    iteration = checkpoints.newest()
    if iteration is None:
        iteration = 0
        report.begin()
        checkpoints.save(0, {**parts.state(), "report": report.state()})
    else:
        state = checkpoints.load(iteration)
        parts.load(state)
        report.go_on(state["report"])
    while parts.loader.epochs < run.options.num_epochs - EPSILON:
        iteration += 1
        count = num_jobs(run.options, iteration)
        states = _run_jobs(run, iteration, count)
        parts.load(average_states(parts, states))
        end_iteration(parts, assembly.group, report, _gathered(states))
        checkpoints.save(iteration, {**parts.state(), "report": report.state()})
        for job in range(1, count + 1):
            _result(run.folder, iteration, job).unlink(missing_ok=True)


def train_job(folder: Path, iteration: int, job: int) -> None:
    """One job, counted from 1, of an iteration. Does nothing where it was finished before."""
    if _result(folder, iteration, job).exists():
        log.info("This job was finished before")
        return
    run = Run.load(folder)
    options = run.options
    count = num_jobs(options, iteration)
    group = Group(options.use_gpu)
    assembly = assemble(run, group, job - 1, count)
    parts = assembly.parts
    parts.load(load_state(folder / f"checkpoint.{iteration - 1}.pt"))
    torch.manual_seed((options.srand * 10007 + iteration) * 1009 + job)
    until = min(options.num_epochs, parts.loader.epochs + count / options.iterations_per_epoch)
    report = Report(folder, options.num_epochs, silent=True)
    meter = train_until(until, parts, assembly.settings, group, report)
    terms = {name: [term.total, term.weight] for name, term in meter.terms.items()}
    numbers = {"frames": meter.frames, "updates": meter.updates, "skipped": meter.skipped, "seconds": meter.seconds}
    save_state(_result(folder, iteration, job), {**parts.state(), "terms": terms, "numbers": numbers})
    shown = ", ".join(f"{name} {value:.4f}" for name, value in meter.means().items())
    log.info(f"Iteration {iteration}, job {job}: {meter.updates} updates, {shown}")


def average_states(parts: Parts, states: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """One state of those of jobs, each part averaged as it knows best."""
    weights = [1.0 / len(states)] * len(states)

    def of(name: str) -> list[dict[str, Any]]:
        return [state[name] for state in states]

    return {
        **states[0],
        "model": parts.model.average_states(of("model"), weights),
        "objective": parts.objective.average_states(of("objective"), weights),
        "optimizer": parts.optimizer.average_states(of("optimizer"), weights),
        "average": average_nested("average", of("average"), weights),
    }


def _run_jobs(run: Run, iteration: int, count: int) -> list[dict[str, Any]]:
    results = [_result(run.folder, iteration, job) for job in range(1, count + 1)]
    logs = run.folder / "log" / f"train.{iteration}.JOB.log"
    job = [sys.executable, "-m", "steps_pytorch.training.run.job", f"--iteration={iteration}", "--job=JOB"]
    command = _through_runner(run.options, [f"JOB=1:{count}", str(logs), *job, str(run.folder)])
    for attempt in range(1, ATTEMPTS + 1):
        status = subprocess.call(command)
        missing = [job for job, result in enumerate(results, 1) if not result.exists()]
        if not missing:
            return [load_state(result) for result in results]
        first = str(logs).replace("JOB", str(missing[0]))
        message = f"{len(missing)} of {count} jobs of iteration {iteration} failed (status {status}), see {first}"
        if attempt < ATTEMPTS:
            log.warning(f"{message}; starting them once more")
    raise KaldiError(f"{message}. What others have finished is kept: run the same command again to go on")


def _through_runner(options: RunOptions, words: list[str]) -> list[str]:
    if options.cmd:
        runner = [*shlex.split(options.cmd), *(["--gpu", "1"] if options.use_gpu else [])]
        return runner + (words if Path(runner[0]).name in OURS else [_for_kaldis_runners(word) for word in words])
    return [str(recipes_folder() / "utils" / "run.py"), *words]


def _for_kaldis_runners(word: str) -> str:
    """A word as run.pl, queue.pl and their like leave it to bash: without white space.

    Raises KaldiError for a log's name, which they use themselves too.
    """
    special = [c for c in map(chr, range(128)) if not c.isalnum() and c not in _SAFE]
    escaped = word.translate({ord(c): f"\\{ord(c):03o}" for c in special})
    if escaped == word:
        return word
    if word.endswith(".log"):
        raise KaldiError(f"--cmd: Kaldi's scripts cannot write a log of the name {word}")
    return f"$'{escaped}'"


def _result(folder: Path, iteration: int, job: int) -> Path:
    return folder / "jobs" / f"{iteration}.{job}.pt"


def _gathered(states: Sequence[dict[str, Any]]) -> Meter:
    """The sums of all jobs; time is the slowest one's."""
    meter = Meter()
    for state in states:
        numbers = state["numbers"]
        meter.frames += numbers["frames"]
        meter.skipped += numbers["skipped"]
        meter.updates = max(meter.updates, numbers["updates"])
        meter.elapsed = max(meter.elapsed or 0.0, numbers["seconds"])
        for name, (total, weight) in state["terms"].items():
            term = meter.terms.setdefault(name, Term(0.0, 0.0))
            term.total += total
            term.weight += weight
    return meter

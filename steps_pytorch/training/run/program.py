"""What the programs of training do."""

from __future__ import annotations

import contextlib
from pathlib import Path

from kaldi_bridge.errors import KaldiError
from steps_pytorch.group import Group
from steps_pytorch.models.registry import MODELS
from steps_pytorch.objectives.registry import OBJECTIVES
from steps_pytorch.training.optimizers.base import OPTIMIZERS
from steps_pytorch.training.report.report import Report
from steps_pytorch.training.run.assembly import assemble
from steps_pytorch.training.run.checkpoints import Checkpoints
from steps_pytorch.training.run.finish import finish, tree_dir
from steps_pytorch.training.run.jobs import train_by_jobs
from steps_pytorch.training.run.lock import RunLock
from steps_pytorch.training.run.loop import train
from steps_pytorch.training.run.options import NAME, Run
from steps_pytorch.training.schedules.learning_rate import SCHEDULES


def known() -> str:
    """Models, objectives, optimizers and schedules with their options."""
    return MODELS.help() + OBJECTIVES.help() + OPTIMIZERS.help() + SCHEDULES.help()


def run(run: Run) -> int:
    """Trains, averages, and writes the model directory. Raises KaldiError where somebody else is at that already."""
    tree_dir(run)
    group = Group(run.options.use_gpu)
    try:
        run.folder.mkdir(parents=True, exist_ok=True)
        with RunLock(run.folder) if group.is_first else contextlib.nullcontext():
            try:
                _train(run, group)
            except BaseException:
                _forget_what_never_began(run, group)
                raise
    finally:
        group.close()
    return 0


def _train(run: Run, group: Group) -> None:
    checkpoints = Checkpoints(run.folder, group, run.options.average_last)
    _begin(run, checkpoints, group)
    assembly = assemble(run, group)
    report = _report(run, group)
    try:
        if not run.options.num_jobs_initial:
            train(assembly.parts, assembly.settings, group, checkpoints, report)
        elif group.size > 1:
            raise KaldiError("--num-jobs-initial does not go with torchrun: one or the other")
        else:
            train_by_jobs(assembly, checkpoints, report)
        finish(assembly, checkpoints, report)
    finally:
        report.close()


def average(folder: Path, name: str, last: int, iterations: str) -> int:
    """Averages models of a run that was finished, or of one under way, so far."""
    run = Run.load(folder)
    group = Group(run.options.use_gpu)
    checkpoints = Checkpoints(folder, group, run.options.average_last)
    newest = checkpoints.newest()
    if newest is None:
        raise KaldiError(f"there is no checkpoint in {folder}: nothing was trained yet")
    chosen = checkpoints.models()[-last:] if last else None
    if iterations:
        try:
            chosen = [int(number) for number in iterations.split(",")]
        except ValueError:
            raise KaldiError(f"--iterations={iterations}: they must be numbers separated by commas") from None
    assembly = assemble(run, group)
    assembly.parts.load(checkpoints.load(newest))
    finish(assembly, checkpoints, None, name, chosen)
    return 0


def _begin(run: Run, checkpoints: Checkpoints, group: Group) -> None:
    """Finds out whether to go on with an earlier run in the directory."""
    if group.is_first:
        if not run.options.resume:
            checkpoints.remove_all()
        elif checkpoints.newest() is not None and (run.folder / NAME).exists():
            run.check_same(Run.load(run.folder))
        run.save()
    group.wait()


def _forget_what_never_began(run: Run, group: Group) -> None:
    """A directory in which nothing was trained does not tell of a run."""
    if group.is_first and Checkpoints(run.folder, group, run.options.average_last).newest() is None:
        (run.folder / NAME).unlink(missing_ok=True)


def _report(run: Run, group: Group) -> Report:
    options = run.options
    return Report(
        run.folder,
        options.num_epochs,
        interval=options.log_interval,
        tensorboard=options.tensorboard and group.is_first,
        silent=not group.is_first,
    )

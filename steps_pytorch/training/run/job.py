"""One job of an iteration of training through --cmd, as a process: jobs.py starts it, and no person has to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from kaldi_bridge.command import command, option

USAGE = """Train on one job's share of an iteration's data, from the last checkpoint of a run.
Usage: python -m steps_pytorch.training.run.job --iteration=<n> --job=<n> <dir>"""


@dataclass
class Options:
    """Which job of which iteration this is."""

    iteration: int = option(0, "Iteration, counted from 1")
    job: int = option(0, "Job, counted from 1")


def train_job(options: Options, folder: str) -> int:
    """Trains it in its folder; returns the exit status."""
    from steps_pytorch.training.run import jobs

    jobs.train_job(Path(folder), options.iteration, options.job)
    return 0


main = command(train_job, usage=USAGE)

if __name__ == "__main__":
    main()

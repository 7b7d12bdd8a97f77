#!/usr/bin/env python3
"""Runs jobs on this machine, with the command line of Kaldi's run.pl.

    run.py [options] [JOB=1:4] log/name.JOB.log command arg ...

JOB in the log's name and the command is replaced by each number. A word that is an operator of the shell (| > >> >&
< && || ; and so on) is one; any other is passed on as it is, whatever is in it. (Kaldi's run.pl leaves words without
white space to the shell, with all that names of files may hold; for an expansion, say bash -c "...".)
Exits with 1, naming the logs, if any job failed. Options that only a cluster needs are accepted and do nothing here.
  --max-jobs-run N    so many jobs at once (default: one for each processor)
  --pick WHICH        all; failed: those that have not ended well before, by their logs; incomplete: that have not ended
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time

from jobs import Jobs, parse, picked, positive, shell_line, verdict

CLUSTER_OPTIONS = {"gpu", "num_threads", "mem", "config", "time"}


def run_job(jobs: Jobs, number: int | None) -> bool:
    log, command = jobs.log_of(number), shell_line(jobs.words_of(number))
    os.makedirs(os.path.dirname(log) or ".", exist_ok=True)
    with open(log, "w", encoding="utf-8", errors="surrogateescape") as out:
        print(f"# {command}\n# Started at {time.ctime()}\n#", file=out, flush=True)
        start = time.time()
        status = subprocess.call(
            ["bash", "-o", "pipefail", "-c", command], stdin=subprocess.DEVNULL, stdout=out, stderr=out
        )
        print(f"# Accounting: time={time.time() - start:.0f} threads=1", file=out)
        print(
            f"# Ended (code {status}) at {time.ctime()}, elapsed time {time.time() - start:.0f} seconds",
            file=out,
        )
    return status == 0


def run_all(jobs: Jobs, numbers: list[int | None], at_once: int) -> list[int | None]:
    """The jobs that failed."""
    free, good = threading.Semaphore(at_once), set()

    def run_one(number: int | None) -> None:
        try:
            if run_job(jobs, number):
                good.add(number)
        except OSError as error:
            print(f"run.py: {error}", file=sys.stderr)
        finally:
            free.release()

    threads = [threading.Thread(target=run_one, args=(number,)) for number in numbers]
    for thread in threads:
        free.acquire()
        thread.start()
    for thread in threads:
        thread.join()
    return [number for number in numbers if number not in good]


def main(arguments: list[str]) -> int:
    try:
        jobs = parse(arguments)
        if unknown := jobs.options.keys() - CLUSTER_OPTIONS - {"max_jobs_run", "pick"}:
            raise ValueError(f"unknown option --{min(unknown).replace('_', '-')}")
        at_once = positive("--max-jobs-run", jobs.options.get("max_jobs_run", str(os.cpu_count() or 1)))
    except ValueError as error:
        print(f"run.py: {error}" if error.args else __doc__, file=sys.stderr)
        return 1
    numbers, failed_before = picked(jobs)
    failure = verdict(jobs, failed_before + run_all(jobs, numbers, at_once))
    if failure:
        print(f"run.py: {failure}", file=sys.stderr)
    return 1 if failure else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

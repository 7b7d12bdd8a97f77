#!/usr/bin/env python3
"""Runs jobs on this machine, with the command line of Kaldi's run.pl.

    run.py [options] [JOB=1:4] log/name.JOB.log command arg ...

JOB in the log's name and the command is replaced by each number. A word that is an operator of the shell (| > >> >&
< && || ; and so on) is one; any other is passed on as it is, whatever is in it. (Kaldi's run.pl leaves words without
white space to the shell, with all that names of files may hold; for an expansion, say bash -c "...".)
Exits with 1, naming the logs, if any job failed. Options that only a cluster needs are accepted and do nothing here.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

CLUSTER_OPTIONS = {"--gpu", "--num-threads", "--mem", "-l", "-q", "-pe", "--config", "--time"}


OPERATORS = {"|", "|&", "&&", "||", ";", "(", ")", "!", "<", ">", ">>", "2>", "2>>", "2>&1", ">&2"}


def shell_line(words: list[str]) -> str:
    """The words with operators as they are, and all others quoted."""
    line = []
    for before, word in zip(["", *words], words, strict=False):
        if word in (">&", "&>"):  # of which bash (5.2) takes off the next word's quotes twice
            line.append(">")
        else:
            line.append(word if word in OPERATORS else shlex.quote(word))
        if before in (">&", "&>"):
            line.append("2>&1")
    return " ".join(line)


def run_job(name: str, number: int | None, log: str, words: list[str]) -> bool:
    if number is not None:
        log, *words = (word.replace(name, str(number)) for word in (log, *words))
    command = shell_line(words)
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


def main(arguments: list[str]) -> int:
    max_jobs = os.cpu_count() or 1
    while arguments and arguments[0].startswith("-"):
        option = arguments.pop(0)
        if option not in CLUSTER_OPTIONS and option != "--max-jobs-run" or not arguments:
            print(f"run.py: unknown option {option}, or no value for it", file=sys.stderr)
            return 1
        value = arguments.pop(0)
        if option == "--max-jobs-run":
            max_jobs = max(1, int(value))
    name, numbers = "", [None]
    if arguments and (match := re.fullmatch(r"([A-Za-z_]\w*)=(\d+)(?::(\d+))?", arguments[0])):
        name, first, last = match[1], int(match[2]), int(match[3] or match[2])
        numbers = list(range(first, last + 1))
        arguments.pop(0)
        if not numbers:
            print(f"run.py: {match[0]} is an empty range", file=sys.stderr)
            return 1
    if len(arguments) < 2:
        print(__doc__, file=sys.stderr)
        return 1
    log, *words = arguments
    if len(numbers) > 1 and name not in log:
        print(f"run.py: {name} must be part of the log's name {log}", file=sys.stderr)
        return 1
    with ThreadPoolExecutor(max_jobs) as pool:
        good = list(pool.map(lambda number: run_job(name, number, log, words), numbers))
    if all(good):
        return 0
    failed = [
        log.replace(name, str(n)) if n is not None else log for n, ok in zip(numbers, good, strict=True) if not ok
    ]
    print(f"run.py: {len(failed)} / {len(numbers)} failed, log is in {failed[0]}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

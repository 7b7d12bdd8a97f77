"""What run.py, slurm.py and queue.py share: their command line, the shell's words, what a log says of its job.

    [options] [JOB=1:4] log/name.JOB.log command arg ...

As in Kaldi's run.pl and its like, options may stand on both sides of JOB=1:4. (No script of this folder may import
what imports the library's ``queue``, as concurrent.futures does: Python would take queue.py for it.)
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Collection, Iterable
from typing import NamedTuple

OPERATORS = {"|", "|&", "&&", "||", ";", "(", ")", "!", "<", ">", ">>", "2>", "2>>", "2>&1", ">&2"}
PICKS = ("all", "failed", "incomplete")


class Jobs(NamedTuple):
    """One command for each number; ``numbers`` is [None] where there is no JOB=..."""

    options: dict[str, str]  # those with two dashes, as files of options name them: num_threads
    others: list[str]  # those with one dash and their values, as the queue itself takes them
    name: str
    numbers: list[int | None]
    log: str
    words: list[str]

    def log_of(self, number: int | None) -> str:
        return numbered(self.log, self.name, number)

    def words_of(self, number: int | None) -> list[str]:
        return [numbered(word, self.name, number) for word in self.words]


def numbered(text: str, name: str, number: int | None) -> str:
    return text if number is None else text.replace(name, str(number))


def parse(arguments: list[str]) -> Jobs:
    """Raises ValueError with what is wrong, which is nothing for too few arguments."""
    options, others, name, numbers = {}, [], "", [None]
    rest = list(arguments)
    while rest:
        if rest[0].startswith("-"):
            option = rest.pop(0)
            count = {"-V": 0, "-pe": 2}.get(option, 1)
            if len(rest) < count:
                raise ValueError(f"no value for option {option}")
            values, rest = rest[:count], rest[count:]
            if option.startswith("--"):
                options[option[2:].replace("-", "_")] = values[0]
            else:
                others += [option, *values]
        elif not name and (match := re.fullmatch(r"([A-Za-z_]\w*)=(\d+)(?::(\d+))?", rest[0])):
            name, first, last = match[1], int(match[2]), int(match[3] or match[2])
            numbers = list(range(first, last + 1))
            if not numbers:
                raise ValueError(f"{match[0]} is an empty range")
            rest.pop(0)
        else:
            break
    if len(rest) < 2:
        raise ValueError
    log, *words = rest
    if len(numbers) > 1 and name not in log:
        raise ValueError(f"{name} must be part of the log's name {log}")
    if (pick := options.get("pick", "all")) not in PICKS:
        raise ValueError(f"--pick {pick}: must be one of {', '.join(PICKS)}")
    return Jobs(options, others, name, numbers, log, words)


def positive(option: str, value: str) -> int:
    """Raises ValueError."""
    if not re.fullmatch(r"0*[1-9][0-9]*", value):
        raise ValueError(f"{option} {value}: must be a positive number")
    return int(value)


def shell_line(words: Iterable[str], quote: Callable[[str], str] = shlex.quote) -> str:
    """The words with operators as they are, and all others quoted."""
    line, before = [], ""
    for word in words:
        if word in (">&", "&>"):  # of which bash (5.2) takes off the next word's quotes twice
            line.append(">")
        else:
            line.append(word if word in OPERATORS else quote(word))
        if before in (">&", "&>"):
            line.append("2>&1")
        before = word
    return " ".join(line)


def status_in(log: str) -> int | None:
    """With which the job of a log ended. None: it has not, or there is no log."""
    try:
        with open(log, "rb") as file:
            lines = file.readlines()[-10:]
    except FileNotFoundError:
        return None
    for line in reversed(lines):
        if match := re.match(rb"# Ended \(code (\d+)|# Finished at .* with status (\d+)$", line):
            return int(match[1] or match[2])
    return None


def picked(jobs: Jobs) -> tuple[list[int | None], list[int | None]]:
    """The jobs to run, by what --pick says of their logs of last time, and those that failed then and aren't run."""
    pick = jobs.options.get("pick", "all")
    if pick == "all":
        return jobs.numbers, []
    before = {number: status_in(jobs.log_of(number)) for number in jobs.numbers}
    if pick == "failed":
        return [number for number, status in before.items() if status != 0], []
    return [number for number, status in before.items() if status is None], [
        n for n, status in before.items() if status
    ]


def verdict(jobs: Jobs, failed: Collection[int | None]) -> str:
    """What is said of jobs that failed; empty if none did."""
    if not failed:
        return ""
    first = next(jobs.log_of(number) for number in jobs.numbers if number in failed)
    return f"{len(failed)} / {len(jobs.numbers)} failed, log is in {first}"

"""What slurm.py and queue.py share: files of options, the script that a queue runs, and waiting for it.

A file of options (conf/slurm.conf, conf/queue.conf) has Kaldi's syntax, # begins a comment:

    command sbatch --export=PATH      what submits a script
    option mem=* --mem-per-cpu $0     --mem 2G becomes --mem-per-cpu 2G
    option gpu=0                      --gpu 0 adds nothing
    default gpu=0                     where --gpu isn't given

Quotes and $VARIABLES in it are as in the shell; nothing else of it reaches one. One job or a whole array is submitted
as one script; each of its tasks leaves a file with its exit status when it is done. A task that has none when the queue
no longer knows the job was cancelled, ran into a limit or lost its machine, and counts as failed.
"""

from __future__ import annotations

import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from jobs import Jobs, parse, picked, positive, shell_line, verdict

LONGEST_WAIT = 3.0  # seconds, between two looks at the folder
QUESTIONS = 5  # looks for one question to the queue
GRACE = 10.0  # seconds that a network file system may take to show a task's last file


class Queue(NamedTuple):
    """A queueing system's programs and their words."""

    program: str
    usage: str
    config: str
    default_config: str
    array: str  # the option of an array, of {first} and {last}
    at_once: str  # what bounds the tasks that run at once, appended to it; empty: an option of the file of options
    task: str  # the variable that has a task's number
    log_options: str  # where the queue's own log goes, of {log}
    submitted: str  # the line with the job's id
    ask: list[str]  # exits with 0 and prints lines while the job of the id is there
    gone: str  # what it says of an id that it does not know
    cancel: list[str]
    killed: str = ""  # what the script does after a task that was killed


def read_config(text: str, name: str, given: dict[str, str]) -> list[str]:
    """The command that submits, with what the options that were given, and the defaults of others, add to it.

    Raises ValueError for a line that is none of Kaldi's, and an option or a value that no line is for.
    """
    command, additions, options = None, {}, dict(given)
    for line in text.splitlines():
        stripped = re.sub(r"\s*#.*", "", line).strip()
        if not stripped:
            continue
        if match := re.fullmatch(r"command (.+)", stripped):
            command = match[1]
        elif match := re.fullmatch(r"option ([^=]+)=(\S+)\s*(.*)", stripped):
            additions[match[1], match[2]] = match[3]
        elif match := re.fullmatch(r"default ([^=]+)=(\S+)", stripped):
            options.setdefault(match[1], match[2])
        else:
            raise ValueError(f"cannot parse line '{line}' of {name}")
    if command is None:
        raise ValueError(f'there is no line "command ..." in {name}')
    words = shlex.split(os.path.expandvars(command))
    for option, value in options.items():
        addition = additions.get((option, value), additions.get((option, "*")))
        if addition is None:
            raise ValueError(f"no line of {name} is for option {option}, or for its value {value}")
        words += [word.replace("$0", value) for word in shlex.split(os.path.expandvars(addition))]
    return words


class Files(NamedTuple):
    """Of one submission, in the folder q beside its logs (beside their folder, where that is log)."""

    script: Path
    queue_log: Path
    done: str  # + .number for the tasks of an array

    @classmethod
    def of(cls, jobs: Jobs) -> Files:
        log = Path(jobs.log)
        folder = (log.parent.parent if log.parent.name in ("log", "LOG") else log.parent) / "q"
        base = re.sub(rf"\.?{jobs.name}", "", log.name) if jobs.name else log.name
        script = re.sub(r"\.[a-zA-Z]{1,5}$", "", base) + ".sh"
        done = f"done.{socket.gethostname()}.{os.getpid()}"
        return cls(Path.cwd() / folder / script, Path.cwd() / folder / base, str(Path.cwd() / folder / done))

    def done_of(self, number: int | None) -> Path:
        return Path(self.done if number is None else f"{self.done}.{number}")


def script(queue: Queue, jobs: Jobs, numbers: list[int | None], files: Files) -> str:
    """What each task runs: the command, between the lines that Kaldi's queue.pl puts around it in the log."""

    def quote(text: str) -> str:
        """For bash, where the name of the number is the task's number."""
        if not jobs.name or jobs.name not in text:
            return shlex.quote(text)
        return f'"${{{queue.task}}}"'.join(shlex.quote(part) if part else "" for part in text.split(jobs.name))

    lines = ["#!/bin/bash", f"cd {shlex.quote(os.getcwd())} || exit 1", "if [ -f path.sh ]; then . ./path.sh; fi"]
    if numbers != list(range(numbers[0] or 0, (numbers[-1] or 0) + 1)) and jobs.name:
        lines.append(f'case "${queue.task}" in {"|".join(map(str, numbers))}) ;; *) exit 0 ;; esac')
    threads = jobs.others[jobs.others.index("-pe") + 2] if "-pe" in jobs.others else "1"
    done = shlex.quote(files.done) + (f'."${queue.task}"' if jobs.name else "")
    return "\n".join(
        [
            *lines,
            f"log={quote(jobs.log)} done={done}",
            '{ echo "# Running on $(hostname)"; echo "# Started at $(date)"',
            f"  printf '# %s\\n' {quote(shell_line(jobs.words))}; }} > \"$log\"",
            "start=$(date +%s)",
            "status=0",  # path.sh may have set -e
            f'( set -o pipefail; {shell_line(jobs.words, quote)} ) < /dev/null >> "$log" 2>&1 || status=$?',
            f'{{ echo "# Accounting: time=$(($(date +%s) - start)) threads={jobs.options.get("num_threads", threads)}"',
            '  echo "# Finished at $(date) with status $status"; } >> "$log"',
            *([f"if [ $status -eq 137 ]; then {queue.killed}; fi"] if queue.killed else []),
            'echo $status > "$done.part" && mv "$done.part" "$done"',
            "exit $((status != 0))",
            "",
        ]
    )


def submit(queue: Queue, command: list[str], jobs: Jobs, numbers: list[int | None], files: Files) -> str:
    """The job's id. Raises ValueError with what the queue said when it took none."""
    for folder in (Path(jobs.log).parent, files.script.parent):
        folder.mkdir(parents=True, exist_ok=True)
    for number in numbers:  # so that a task that never starts is not taken for last time's
        Path(jobs.log_of(number)).unlink(missing_ok=True)
    command = [*command, *jobs.others, *shlex.split(queue.log_options.format(log=shlex.quote(str(files.queue_log))))]
    if jobs.name:
        array = queue.array.format(first=numbers[0], last=numbers[-1])
        if queue.at_once and "max_jobs_run" in jobs.options:
            array += queue.at_once.format(jobs.options["max_jobs_run"])
        command += array.split()
    command.append(str(files.script))
    text = script(queue, jobs, numbers, files) + f"# submitted with: {shlex.join(command)}\n"
    files.script.write_text(text, encoding="utf-8", errors="surrogateescape")
    files.queue_log.unlink(missing_ok=True)
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, errors="surrogateescape")
    with open(files.queue_log, "a", encoding="utf-8", errors="surrogateescape") as log:
        log.write(result.stdout)
    if match := re.search(queue.submitted, result.stdout):  # also of a qsub -sync y whose job failed
        return match[1]
    said = result.stdout.strip()
    raise ValueError(f"nothing was submitted (status {result.returncode}) by {shlex.join(command)}: {said}")


def is_there(queue: Queue, job: str) -> bool:
    """Whether the queue knows of an unfinished job; it does, too, where it cannot be asked."""
    result = subprocess.run([*queue.ask, job], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, errors="replace")
    if result.returncode == 0:
        return bool(result.stdout.strip())
    if re.search(queue.gone, result.stdout):
        return False
    print(f"{queue.program}: warning: {shlex.join(queue.ask)} {job}: {result.stdout.strip()}", file=sys.stderr)
    return True


def statuses(queue: Queue, job: str, numbers: list[int | None], files: Files) -> dict[int | None, int]:
    """The exit statuses of all tasks, once the job is over; none of those that did not end."""
    found: dict[int | None, int] = {}

    def look() -> bool:
        kick = Path(files.done + ".kick")  # a change of the folder makes NFS look anew
        kick.touch()
        kick.unlink()
        there = set(os.listdir(kick.parent))
        for number in numbers:
            path = files.done_of(number)
            if number not in found and path.name in there:
                found[number] = int(path.read_text())
                path.unlink()
        return len(found) == len(numbers)

    for i, wait in enumerate(_waits(), 1):
        if look():
            break
        if i % QUESTIONS == 0 and not is_there(queue, job):
            end = time.monotonic() + GRACE
            while not look() and time.monotonic() < end:
                time.sleep(wait)
            break
        time.sleep(wait)
    return found


def _waits() -> Iterator[float]:
    wait = 0.1
    while True:
        yield wait
        wait = min(wait * 1.2, LONGEST_WAIT)


def run(queue: Queue, jobs: Jobs) -> int:
    """The exit status: 0 if all jobs ended well, 1 if not. Raises ValueError."""
    options = {option: value for option, value in jobs.options.items() if option not in ("config", "pick")}
    if "max_jobs_run" in options:
        positive("--max-jobs-run", options["max_jobs_run"])
        if queue.at_once or not jobs.name:
            del options["max_jobs_run"]
    config = jobs.options.get("config", queue.config)
    if "config" in jobs.options or Path(config).is_file():
        command = read_config(Path(config).read_text(encoding="utf-8"), config, options)
    else:
        command = read_config(queue.default_config, f"the default options, as there is no {config}", options)
    if jobs.name and jobs.numbers[0] == 0:
        raise ValueError(f"{jobs.name}=0: numbers of a queue begin at 1")
    numbers, failed = picked(jobs)
    if numbers:
        files = Files.of(jobs)
        job = submit(queue, command, jobs, numbers, files)
        try:
            found = statuses(queue, job, numbers, files)
        except KeyboardInterrupt:
            subprocess.run([*queue.cancel, job])
            print(f"{queue.program}: interrupted: job {job} was cancelled", file=sys.stderr)
            return 2
        for number in numbers:
            if number not in found:
                print(
                    f"{queue.program}: job {job} is over, and its task with the log {jobs.log_of(number)} did not end: "
                    f"cancelled, beyond a limit, or its machine is down (the queue's log is {files.queue_log})",
                    file=sys.stderr,
                )
        failed = failed + [number for number in numbers if found.get(number) != 0]
    failure = verdict(jobs, failed)
    if failure:
        print(f"{queue.program}: {failure}", file=sys.stderr)
    return 1 if failure else 0


def main(queue: Queue, arguments: list[str]) -> int:
    """The exit status: 1 for any failure, as Kaldi's; 2 after a signal, for which the job is cancelled."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return run(queue, parse(arguments))
    except KeyboardInterrupt:
        print(f"{queue.program}: interrupted before anything was submitted", file=sys.stderr)
        return 2
    except (OSError, ValueError) as error:
        print(f"{queue.program}: {error}" if error.args else queue.usage, file=sys.stderr)
        return 1

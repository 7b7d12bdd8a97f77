"""slurm.py and queue.py: with stand-ins of the queues' programs, and on a Slurm of one node where that is installed."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers.places import STEPS, UTILS
from tests.helpers.slurm_here import MISSING, SlurmHere, slurm_here

# Runs the tasks of an array one after the other, but for those in $LOST.
SUBMIT = """#!{python}
import os, re, subprocess, sys
with open("submitted", "w") as file:
    print(*sys.argv[1:], sep="\\n", file=file)
if os.path.exists("refuse"):
    sys.exit("no such partition")
array = re.search(r"(?:--array=|-t\\n)(\\d+)[-:](\\d+)", "\\n".join(sys.argv))
lost = os.environ.get("LOST", "").split()
for number in range(int(array[1]), int(array[2]) + 1) if array else [""]:
    if str(number) not in lost:
        subprocess.run(["bash", sys.argv[-1]], env={{**os.environ, "{task}": str(number)}})
print("{said}")
"""
GONE = "#!/bin/sh\necho '{said}' >&2; exit 1\n"
QUEUES = {
    "slurm.py": {
        "sbatch": SUBMIT.format(python=sys.executable, task="SLURM_ARRAY_TASK_ID", said="Submitted batch job 42"),
        "squeue": GONE.format(said="slurm_load_jobs error: Invalid job id specified"),
    },
    "queue.py": {
        "qsub": SUBMIT.format(
            python=sys.executable,
            task="SGE_TASK_ID",
            said="Your job-array 42.1-3:1 (\\'a.sh\\') has been submitted",
        ),
        "qstat": GONE.format(said="Following jobs do not exist:"),
    },
}
# The scripts wait for a network file system; there is none here.
IMPATIENT = "import sys; sys.path.insert(0, sys.argv[1]); import cluster, {module}; "
IMPATIENT += "cluster.GRACE = cluster.LONGEST_WAIT = 0.3; "
IMPATIENT += "sys.exit(cluster.main({module}.{name}, sys.argv[2:]))"


def call(command: list[str], cwd: Path, environment: dict[str, str], timeout: float = 60):
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=timeout)


class Queue:
    """One of the two scripts in a folder of its own, with stand-ins on the PATH."""

    def __init__(self, script: str, folder: Path) -> None:
        self.script, self.folder, self.work = script, folder, folder / "work"
        (folder / "bin").mkdir()
        self.work.mkdir()
        for name, text in QUEUES[script].items():
            self.program(name, text)
        self.environment = {**os.environ, "PATH": f"{folder / 'bin'}:{os.environ['PATH']}"}

    def program(self, name: str, text: str) -> None:
        path = self.folder / "bin" / name
        path.write_text(text)
        path.chmod(0o755)

    def run(self, *arguments: str, lost: str = ""):
        module, name = {"slurm.py": ("slurm", "SLURM"), "queue.py": ("queue", "GRID_ENGINE")}[self.script]
        command = [sys.executable, "-c", IMPATIENT.format(module=module, name=name), str(UTILS), *arguments]
        return call(command, self.work, {**self.environment, "LOST": lost})

    def submitted(self) -> list[str]:
        return (self.work / "submitted").read_text().splitlines()


@pytest.fixture(params=QUEUES)
def queue(request: pytest.FixtureRequest, tmp_path: Path) -> Queue:
    return Queue(request.param, tmp_path)


class TestBothQueues:
    def test_each_task_gets_its_number_and_its_log(self, queue: Queue) -> None:
        command = [sys.executable, str(UTILS / queue.script), "--num-threads", "2", "JOB=1:3", "--mem", "2G"]
        result = call([*command, "log/a.JOB.log", "echo", "job JOB", "|", "cat"], queue.work, queue.environment)
        assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
        for number in (1, 2, 3):
            lines = (queue.work / f"log/a.{number}.log").read_text().splitlines()
            assert re.match("# Running on ", lines[0]) and re.match("# Started at ", lines[1])
            assert lines[2:4] == [f"# echo 'job {number}' | cat", f"job {number}"]
            assert re.fullmatch(r"# Accounting: time=\d+ threads=2", lines[4])
            assert re.fullmatch(r"# Finished at .* with status 0", lines[5]) and len(lines) == 6
        assert {path.name for path in (queue.work / "q").iterdir()} == {"a.log", "a.sh"}

    def test_words_stay_as_they_are(self, queue: Queue) -> None:
        words = [
            "$(touch X)",
            "`touch X`",
            "a;touch${IFS}X",
            """it's "JOB\"""",
            "*",
            "a b",
            "\\",
            ">x",
            "~",
            "",
            "JOBJOB",
        ]
        result = queue.run("JOB=7", "a b$(touch X).log", "printf", "%s\\n", *words, ">", "it's $HOME")
        assert result.returncode == 0, result.stderr
        assert (queue.work / "it's $HOME").read_text() == "".join(f"{word}\n" for word in words).replace("JOB", "7")
        assert {path.name for path in queue.work.iterdir()} == {"a b$(touch X).log", "it's $HOME", "q", "submitted"}

    def test_steps_leave_words_as_they_are(self, queue: Queue) -> None:
        """They escape them for Kaldi's scripts only."""
        (queue.work / "step.sh").write_text(
            f"set -euo pipefail\ncmd={UTILS / queue.script}\nhelp_message=\n"
            f". {STEPS}/lib/step.sh > /dev/null\nrun_jobs 'a b.log' printf '%s' 'a $b' '|' cat\n"
        )
        result = call(["bash", "step.sh"], queue.work, queue.environment)
        assert result.returncode == 0, result.stderr
        assert "\na $b# Accounting" in (queue.work / "a b.log").read_text()

    def test_one_job_without_a_number(self, queue: Queue) -> None:
        (queue.work / "path.sh").write_text("set -e; export GREETING=hello\n")
        result = queue.run("a.log", "bash", "-c", "echo $GREETING; exit 3")
        assert result.returncode == 1 and result.stderr == f"{queue.script}: 1 / 1 failed, log is in a.log\n"
        log = (queue.work / "a.log").read_text()
        assert "\nhello\n" in log and log.endswith(" with status 3\n")
        assert not any(word.startswith(("--array", "-t")) for word in queue.submitted())

    def test_a_failed_job_is_named(self, queue: Queue) -> None:
        result = queue.run("JOB=1:3", "a.JOB.log", "test", "JOB", "!=", "2", "|", "cat")
        assert (result.returncode, result.stderr) == (1, f"{queue.script}: 1 / 3 failed, log is in a.2.log\n")

    def test_a_task_that_does_not_end_is_named(self, queue: Queue) -> None:
        """What an earlier run left in its log doesn't count."""
        (queue.work / "a.2.log").write_text("# Finished at noon with status 0\n")
        result = queue.run("JOB=1:3", "a.JOB.log", "true", lost="2")
        assert result.returncode == 1
        assert "42" in result.stderr and "1 / 3 failed, log is in a.2.log" in result.stderr
        assert not (queue.work / "a.2.log").exists()

    def test_what_has_failed_runs_again(self, queue: Queue) -> None:
        job = ["JOB=1:4", "a.JOB.log", "bash", "-c", "echo JOB >> ran; test JOB != 2 -o -e mended"]
        assert queue.run(*job, lost="4").returncode == 1
        (queue.work / "mended").touch()
        again = queue.run("--pick", "incomplete", *job)
        assert again.returncode == 1 and "1 / 4 failed, log is in a.2.log" in again.stderr
        assert (queue.work / "ran").read_text().split() == ["1", "2", "3", "4"]
        (queue.work / "a.4.log").unlink()
        assert queue.run("--pick", "failed", *job).returncode == 0
        assert (queue.work / "ran").read_text().split() == ["1", "2", "3", "4", "2", "4"]
        (queue.work / "submitted").unlink()
        assert queue.run("--pick", "failed", *job).returncode == 0
        assert not (queue.work / "submitted").exists()

    def test_options_are_the_files(self, queue: Queue) -> None:
        submit = next(iter(QUEUES[queue.script]))
        (queue.work / "my.conf").write_text(
            f"# ours\ncommand {submit} -v '$0 a' # with\n\n"
            "option mem=* -l mem=$0,ram=$0\noption mem=0\noption gpu=0 -p cpu\noption gpu=* -p gpu\n"
            "default gpu=0\ndefault big_disk=1\noption big_disk=1 -d 1\n"
        )
        expected = {
            ("--mem", "2G"): ["-l", "mem=2G,ram=2G", "-p", "cpu", "-d", "1"],
            ("--mem", "0", "--gpu", "4", "-q", "all.q"): ["-p", "gpu", "-d", "1", "-q", "all.q"],
        }
        for given, words in expected.items():
            assert queue.run("--config", "my.conf", *given, "a.log", "true").returncode == 0
            assert queue.submitted()[: len(words) + 2] == ["-v", "$0 a", *words]

    def test_at_most_so_many_at_once(self, queue: Queue) -> None:
        assert queue.run("--max-jobs-run", "2", "JOB=1:3", "a.JOB.log", "true").returncode == 0
        words = " ".join(queue.submitted())
        assert ("--array=1-3%2 " if queue.script == "slurm.py" else "-tc 2 ") in words

    @pytest.mark.parametrize(
        ("config", "arguments", "message"),
        [
            ("option a=1\n", [], 'no line "command ..." in my.conf'),
            ("command x\noptions\n", [], "cannot parse line 'options' of my.conf"),
            ("command x\noption gpu=0\n", ["--gpu", "2"], "no line of my.conf is for option gpu, or for its value 2"),
            ("command x\n", ["--nonsense", "2"], "no line of my.conf is for option nonsense"),
            ("command nothing_of_this_name\n", [], "nothing_of_this_name"),
            (None, [], "my.conf"),
            ("command x\n", ["--max-jobs-run", "0"], "must be a positive number"),
            ("command x\n", ["--pick", "some"], "--pick some"),
            ("command x\n", ["JOB=0:2"], "numbers of a queue begin at 1"),
        ],
    )
    def test_what_is_wrong_is_said(self, queue: Queue, config: str | None, arguments: list[str], message: str) -> None:
        if config is not None:
            (queue.work / "my.conf").write_text(config)
        result = queue.run("--config", "my.conf", *arguments, "a.JOB.log", "true")
        assert result.returncode == 1 and message in result.stderr and "Traceback" not in result.stderr

    def test_a_refusal_is_told(self, queue: Queue) -> None:
        (queue.work / "refuse").touch()
        result = queue.run("a.log", "true")
        assert result.returncode == 1 and "nothing was submitted (status 1)" in result.stderr
        assert "no such partition" in result.stderr

    def test_a_signal_cancels(self, queue: Queue) -> None:
        submit, ask = QUEUES[queue.script]
        cancel = {"sbatch": "scancel", "qsub": "qdel"}[submit]
        queue.program(ask, "#!/bin/sh\necho running\n")
        queue.program(cancel, '#!/bin/sh\necho "$@" > cancelled\n')
        command = [sys.executable, str(UTILS / queue.script), "JOB=1:2", "a.JOB.log", "true"]
        process = subprocess.Popen(command, cwd=queue.work, env={**queue.environment, "LOST": "2"})
        while not (queue.work / "q/a.log").exists() or "42" not in (queue.work / "q/a.log").read_text():
            time.sleep(0.05)
            assert process.poll() is None
        time.sleep(0.2)
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 2
        assert (queue.work / "cancelled").read_text() == "42\n"


def test_no_helper_takes_queue_py_for_the_librarys() -> None:
    """Python looks for modules in a script's own folder first."""
    code = "import sys; sys.path.insert(0, sys.argv[1]); import " + ", ".join(
        path.stem for path in UTILS.glob("*.py") if path.name != "queue.py"
    )
    result = call(
        [sys.executable, "-c", code + "; sys.exit('queue' in sys.modules)", str(UTILS)], UTILS, dict(os.environ)
    )
    assert result.returncode == 0, result.stderr


@pytest.fixture
def slurm(tmp_path: Path) -> Iterator[SlurmHere]:
    if MISSING:
        pytest.skip(f"no {', '.join(MISSING)}: apt-get install slurm-wlm munge")
    (tmp_path / "slurm").mkdir()
    with slurm_here(tmp_path / "slurm") as running:
        yield running


@pytest.mark.slow
def test_on_a_real_slurm(slurm: SlurmHere, tmp_path: Path) -> None:
    """A failing job, a refusal, a cancelled task, a killed node daemon; what failed run again; a cancelled array."""

    def command(*arguments: str) -> list[str]:
        script = IMPATIENT.format(module="slurm", name="SLURM")
        return [sys.executable, "-c", script, str(UTILS), "--mem", "10M", *arguments]

    def run(*arguments: str) -> tuple[int, str]:
        result = call(command(*arguments), tmp_path, slurm.environment)
        return result.returncode, result.stderr

    job = ["JOB=1:3", "log/a.JOB.log", "bash", "-c", "echo JOB >> ran; test JOB != 2 -o -e mended", "|", "cat"]
    assert run("--max-jobs-run", "2", *job) == (1, "slurm.py: 1 / 3 failed, log is in log/a.2.log\n")
    assert (tmp_path / "log/a.3.log").read_text().endswith("with status 0\n")
    (tmp_path / "mended").touch()
    assert run("--pick", "failed", *job) == (0, "")
    assert sorted((tmp_path / "ran").read_text().split()) == ["1", "2", "2", "3"]

    status, errors = run("-p", "nowhere", *job)
    assert status == 1 and "invalid partition" in errors

    for name in ("cancelled", "killed"):
        job = ["JOB=1:2", f"{name}.JOB.log", "bash", "-c", f"test JOB = 1 -o -e {name} || sleep 50"]
        process = subprocess.Popen(
            command(*job), cwd=tmp_path, env=slurm.environment, stderr=subprocess.PIPE, text=True
        )
        slurm.wait_for(["cat", str(tmp_path / f"{name}.1.log")], "with status 0")
        slurm.wait_for(["cat", str(tmp_path / f"{name}.2.log")], "# bash")
        if name == "cancelled":
            job_id = slurm.wait_for(["squeue", "-h", "-o", "%F"], "").split()[0]
            subprocess.run(["scancel", f"{job_id}_2"], env=slurm.environment, check=True)
        else:
            slurm.kill("slurmd")
        errors = process.communicate(timeout=90)[1]
        assert process.returncode == 1
        assert "did not end" in errors and f"1 / 2 failed, log is in {name}.2.log" in errors
        if name == "killed":
            slurm.start_node()
        (tmp_path / name).touch()
        assert run("--pick", "failed", *job) == (0, "")

    job = ["JOB=1:2", "interrupted.JOB.log", "sleep", "50"]
    process = subprocess.Popen(command(*job), cwd=tmp_path, env=slurm.environment)
    for number in (1, 2):
        slurm.wait_for(["cat", str(tmp_path / f"interrupted.{number}.log")], "# sleep")
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 2
    slurm.wait_for(["bash", "-c", "squeue -h | wc -l"], "0\n")

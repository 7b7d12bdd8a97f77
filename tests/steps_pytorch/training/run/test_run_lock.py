"""Two trainers cannot be in one directory; what was killed holds nothing."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from kaldi_bridge.command import run
from kaldi_bridge.errors import KaldiError
from steps_pytorch.commands.train_model import main as train_model
from steps_pytorch.training.run.lock import NAME, RunLock

# Holds the lock, with a child process that outlives it as workers may.
HOLDER = """
import os, sys, time
from pathlib import Path
from steps_pytorch.training.run.lock import RunLock
with RunLock(Path(sys.argv[1])):
    child = os.fork()
    if child:
        print(child, flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen([sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    worker = int(process.stdout.readline())
    yield process
    process.kill()
    process.wait()
    os.kill(worker, signal.SIGKILL)


def test_who_holds_it_is_told(holder: subprocess.Popen[str], tmp_path: Path) -> None:
    for _ in range(2):  # having asked changes nothing
        with pytest.raises(KaldiError) as caught, RunLock(tmp_path):
            pass
    assert f"another trainer is at work in {tmp_path}: 'process {holder.pid} on " in str(caught.value)


def test_training_is_refused(holder: subprocess.Popen[str], tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Before data are read, and nothing is written."""
    alignments = tmp_path / "ali"
    alignments.mkdir()
    for name in ("final.mdl", "tree", "phones.txt"):
        (alignments / name).touch()
    before = sorted(tmp_path.iterdir())
    options = [f"--tree-dir={alignments}", "--model-opts=--network=x", "--objective=cross-entropy"]
    assert run(train_model, [*options, "no-data", str(alignments), str(tmp_path)]) == 255
    assert f"another trainer is at work in {tmp_path}: 'process {holder.pid} on " in capfd.readouterr().err
    assert sorted(tmp_path.iterdir()) == before


def test_a_killed_process_holds_nothing(holder: subprocess.Popen[str], tmp_path: Path) -> None:
    """Although a child of it lives."""
    holder.kill()
    holder.wait()
    with RunLock(tmp_path):
        assert (tmp_path / NAME).read_text().startswith(f"process {os.getpid()} on ")
    with RunLock(tmp_path):  # and given back
        pass


def test_where_nothing_can_be_written(tmp_path: Path) -> None:
    with pytest.raises(KaldiError, match=r"nowhere/\.lock"), RunLock(tmp_path / "nowhere"):
        pass

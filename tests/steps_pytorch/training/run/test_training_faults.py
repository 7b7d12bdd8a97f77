"""Runs that are killed, and runs of several processes: each ends as one undisturbed process would have."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from steps_pytorch.training.run.checkpoints import load_state
from tests.helpers.made_up_training import Affine
from tests.helpers.places import ROOT

PROGRAM = """
import sys
from pathlib import Path
import torch
from tests.helpers.made_up_training import Affine, Stream, make_batch, write_den_fst
from steps_pytorch.objectives.registry import build_objective
from steps_pytorch.registry import Dimensions
from steps_pytorch.training.run.checkpoints import Checkpoints
from steps_pytorch.group import Group
from steps_pytorch.training.run.loop import Parts, Settings, train
from steps_pytorch.training.optimizers.base import OPTIMIZERS, Setting
from steps_pytorch.training.report.report import Report
from steps_pytorch.training.schedules.learning_rate import Course, Decay

torch.set_num_threads(1)
folder, name, sequences, epochs = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), float(sys.argv[4])
torch.manual_seed(1)
group = Group()
model = Affine()
objective = build_objective("cross-entropy", [], Dimensions(5, 4, 0, 3))
optimizer = OPTIMIZERS.build(name, [], Setting(model, objective, group))


class Parted(Stream):
    '''Minibatches of eight chunks, of which each of two processes has four.'''

    def __next__(self):
        number, self._taken = self._taken, self._taken + self._size
        whole = make_batch(model, number // self._size, 8)
        if self._size > 1:
            part = slice(4 * self._rank, 4 * self._rank + 4)
            whole.features, whole.pdfs = whole.features[part], whole.pdfs[part]
        return whole


stream = Parted(model, 6 * group.size, rank=group.rank, size=group.size) if sequences == 8 else Stream(model, 3)
valid = [make_batch(model, 1000)]
parts = Parts(model, objective, optimizer, Decay(Course(0.02, 0.01, epochs)), stream, valid)
report = Report(folder, epochs, silent=not group.is_first)
report.plot = lambda: None
train(parts, Settings(epochs), group, Checkpoints(folder, group, 2), report)
report.close()
group.close()
"""


def start(folder: Path, *arguments: str, launcher: tuple[str, ...] = ()) -> subprocess.Popen[bytes]:
    folder.mkdir(exist_ok=True)
    program = folder.parent / "program.py"
    program.write_text(PROGRAM)
    environment = dict(os.environ, PYTHONPATH=str(ROOT), OMP_NUM_THREADS="1")
    command = [sys.executable, *launcher, str(program), str(folder), *arguments]
    return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def final_model(folder: Path, epochs: int) -> dict[str, torch.Tensor]:
    return load_state(folder / f"checkpoint.{epochs}.pt")["model"]


def stop_in_writing(process: subprocess.Popen[bytes], folder: Path) -> None:
    """Waits until a file is being written, and stops the process before it is whole."""
    while process.poll() is None:
        if list(folder.glob(".*.tmp")):
            process.send_signal(signal.SIGSTOP)
            if list(folder.glob(".*.tmp")):
                return
            process.send_signal(signal.SIGCONT)


@pytest.mark.slow
def test_killed_at_any_instant_it_ends_with_the_same_parameters(tmp_path: Path) -> None:
    """kill -9 at random instants of training, and while a checkpoint is being written."""
    epochs = 150
    whole = start(tmp_path / "whole", "adam", "4", str(epochs))
    draw = random.Random(0)
    killed = in_writing = 0
    folder = tmp_path / "killed"
    journal = folder / "train.jsonl"
    for attempt in range(5):
        process = start(folder, "adam", "4", str(epochs))
        begun = time.time()
        while process.poll() is None and not (journal.exists() and journal.stat().st_mtime > begun):
            time.sleep(0.01)
        time.sleep(draw.uniform(0.0, 0.2))
        if attempt % 2 == 0:
            stop_in_writing(process, folder)
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
            killed += 1
        process.wait()
        in_writing += bool(list(folder.glob(".*.tmp")))
    assert not (folder / f"checkpoint.{epochs}.pt").exists(), "too short a run to be killed in"
    assert killed == 5
    assert in_writing >= 1
    assert start(folder, "adam", "4", str(epochs)).wait() == 0
    assert whole.wait() == 0
    expected, found = final_model(tmp_path / "whole", epochs), final_model(folder, epochs)
    for name, value in expected.items():
        assert torch.equal(value, found[name]), name
    assert not list(folder.glob(".*.tmp"))


@pytest.mark.slow
def test_two_processes_are_one_with_minibatches_twice_as_large(tmp_path: Path) -> None:
    """Over gloo, started by torchrun; parameters to 1e-5."""
    launcher = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2")
    assert start(tmp_path / "one", "adam", "8", "3").wait() == 0
    assert start(tmp_path / "two", "adam", "8", "3", launcher=launcher).wait() == 0
    expected, found = final_model(tmp_path / "one", 3), final_model(tmp_path / "two", 3)
    for name, value in expected.items():
        assert torch.allclose(value, found[name], atol=1e-5), name
    other = load_state(tmp_path / "two" / "checkpoint.3.1.pt")["model"]
    assert all(torch.equal(value, found[name]) for name, value in other.items())
    start_value = Affine().state_dict()
    assert not any(torch.allclose(found[name], value, atol=1e-3) for name, value in start_value.items())
    # Both go on together.
    again = start(tmp_path / "two", "adam", "8", "4", launcher=launcher)
    assert again.wait() == 0
    assert (tmp_path / "two" / "checkpoint.4.pt").exists()

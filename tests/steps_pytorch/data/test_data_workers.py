"""Worker processes: they end with the training process, however that ends, and their own end is reported."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from kaldi_bridge.errors import KaldiError
from steps_pytorch.data.dataset import ChunkShape, DataSet
from steps_pytorch.data.feature_sources import TableFeatures
from steps_pytorch.data.loader import ChunkLoader
from steps_pytorch.data.targets import PdfTargets
from tests.helpers.made_up_data import FACTOR, NUM_PDFS, MadeUpData

TRAINING = """
import signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # what a shell starts in the background ignores it
from pathlib import Path
from steps_pytorch.data.dataset import ChunkShape, DataSet
from steps_pytorch.data.feature_sources import TableFeatures
from steps_pytorch.data.loader import ChunkLoader
train = DataSet("train", TableFeatures({data!r}))
chunks = ChunkLoader([train], ChunkShape(), chunk_width="30", minibatch_size="1", num_workers=2)
for batch in chunks:
    print("batch", flush=True)
    time.sleep(0.2)
"""


def children(pid: int) -> list[int]:
    """The processes that a process started and that still run."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[1]) == pid and fields[0] != "Z":
                found.append(int(entry.name))
    return found


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs Linux's /proc")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_workers_end_with_the_training(tmp_path, how):
    made_up = MadeUpData(tmp_path)
    program = TRAINING.format(data=str(made_up.data))
    process = subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    )
    assert process.stdout.readline() == b"batch\n"
    workers = children(process.pid)
    assert len(workers) >= 2
    # A terminal's Ctrl-C goes to all processes, a kill to one.
    (os.killpg if how == signal.SIGINT else os.kill)(process.pid, how)
    _, messages = process.communicate(timeout=300)  # of a machine that does much else
    assert process.returncode == -how
    deadline = time.time() + 30
    while any(is_running(worker) for worker in workers) and time.time() < deadline:
        time.sleep(0.2)
    assert not [worker for worker in workers if is_running(worker)]
    assert b"DataLoader" not in messages


class Deadly(TableFeatures):
    """Features that kill whom they are read by."""

    def frames(self, *arguments):
        os.kill(os.getpid(), signal.SIGKILL)


def test_a_killed_worker_is_reported(tmp_path):
    made_up = MadeUpData(tmp_path)
    train = DataSet("train", Deadly(made_up.data), PdfTargets(made_up.pdfs, NUM_PDFS, FACTOR))
    with pytest.raises(KaldiError, match="a process that makes minibatches died"):
        list(ChunkLoader([train], ChunkShape(), chunk_width="30", num_workers=1))


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs Linux's /proc")
def test_workers_stay_over_epochs(tmp_path):
    """And they go on with the next epoch before this one ends; the process's own random numbers are left alone."""
    made_up = MadeUpData(tmp_path)
    train = DataSet("train", TableFeatures(made_up.data), PdfTargets(made_up.pdfs, NUM_PDFS, FACTOR))
    options = {"chunk_width": "30", "minibatch_size": "8"}
    chunks = ChunkLoader([train], ChunkShape(), **options, num_workers=2)
    others = set(children(os.getpid()))
    state = torch.get_rng_state()
    seen = []
    got = []
    for _ in range(3):
        for batch in chunks:
            got.append(batch)
            seen.append(set(children(os.getpid())) - others)
    assert chunks.epoch == 3
    assert len(seen[0]) >= 2
    assert all(workers == seen[0] for workers in seen)
    assert torch.equal(torch.get_rng_state(), state)
    # A state of an epoch that is over is gone back to, with the next batch of it.
    chunks.load_state_dict({**chunks.state_dict(), "epoch": 1, "position": 1})
    again = next(iter(chunks))
    assert torch.equal(again.features, got[len(got) // 3 + 1].features)
    workers = set(children(os.getpid())) - others
    assert len(workers) >= 2
    assert not workers & seen[0]
    chunks.close()
    deadline = time.time() + 30
    while any(is_running(worker) for worker in workers) and time.time() < deadline:
        time.sleep(0.1)
    assert not [worker for worker in workers if is_running(worker)]


class Faulty(TableFeatures):
    """Features of which reading fails as no one expects."""

    def frames(self, *arguments):
        raise ZeroDivisionError("a mistake in a program")


def test_what_goes_wrong_in_a_worker_is_seen(tmp_path):
    made_up = MadeUpData(tmp_path)
    train = DataSet("train", Faulty(made_up.data), PdfTargets(made_up.pdfs, NUM_PDFS, FACTOR))
    with pytest.raises(ZeroDivisionError, match="a mistake in a program"):
        list(ChunkLoader([train], ChunkShape(), chunk_width="30", num_workers=1))

"""Programs by which scripts ask for a GPU."""

from __future__ import annotations

import pytest

from kaldi_bridge.command import run
from nnet3_compat.commands.nnet3bin import cuda_gpu_available
from nnet3_compat.machine import device


@pytest.mark.parametrize(
    ("built", "problem", "status", "message"),
    [
        (False, None, 1, "built without GPUs"),
        (True, "no driver", 255, "no driver"),
        (True, None, 0, "A GPU is there"),
    ],
)
def test_cuda_gpu_available(
    built: bool,
    problem: str | None,
    status: int,
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(cuda_gpu_available, "built_for_gpus", lambda: built)
    monkeypatch.setattr(device, "try_gpu", lambda: problem)
    assert run(cuda_gpu_available.main, []) == status
    assert message in capfd.readouterr().err

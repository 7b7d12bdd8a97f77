"""What an installation does where C++ does not compile (setup.py)."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers.places import ROOT

PARTS = [
    "kaldi_bridge",
    "nnet3_compat",
    "steps_pytorch",
    "utils",
    "setup.py",
    "setup.cfg",
    "pyproject.toml",
    "README.md",
]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with the extension of an earlier build."""
    for part in PARTS:
        if (ROOT / part).is_dir():
            shutil.copytree(ROOT / part, tmp_path / part, ignore=shutil.ignore_patterns("*.so", "__pycache__"))
        else:
            shutil.copy(ROOT / part, tmp_path)
    (tmp_path / "kaldi_bridge" / "_csrc.cpython-earlier.so").touch()
    return tmp_path


@pytest.mark.parametrize("value", ["required", ""])
def test_no_compiler(checkout: Path, value: str) -> None:
    environment = {**os.environ, "CC": "false", "CXX": "false", "NNET_PYTORCH_EXTENSION": value}
    command = [sys.executable, "setup.py", "build_ext", "--inplace"]
    ran = subprocess.run(command, cwd=checkout, env=environment, capture_output=True, text=True)
    assert (ran.returncode == 0) == (value == ""), ran.stderr
    assert 'building extension "kaldi_bridge._csrc" failed' in ran.stdout + ran.stderr or value
    assert not list(checkout.rglob("*.so"))

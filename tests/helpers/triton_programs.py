"""Programs that use Triton, each a process of its own: it chooses interpreter or compiler when it is imported."""

import os
import subprocess
import sys

import pytest

from tests.helpers.places import ROOT


def run_with_triton(program: str, *arguments: str, **environment: str) -> None:
    """A Python program with the environment TRITON_INTERPRET=1 or 0, say, which must end well."""
    pytest.importorskip("triton")
    environment = {**os.environ, **environment, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", program, *arguments]
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr

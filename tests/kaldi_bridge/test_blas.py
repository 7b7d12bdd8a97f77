"""NumPy's BLAS starts no threads in programs, unless the user wants some."""

import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="threads are counted in /proc")
PRINT_VARIABLE = "import os; print(os.environ.get('OPENBLAS_NUM_THREADS'))"


def what_python_prints(script: str, **variables: str) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.endswith("NUM_THREADS")}
    command = [sys.executable, "-c", script]
    return subprocess.run(command, env=environment | variables, check=True, stdout=subprocess.PIPE, text=True).stdout


@pytest.mark.parametrize("module", [
    "kaldi_bridge.commands.featbin.compute_mfcc_feats",
    "nnet3_compat.commands.nnet3bin.nnet3_compute",
    "steps_pytorch.commands.average_models",
])  # fmt: skip
def test_programs_have_one_thread(module):
    count = "print(len(os.listdir('/proc/self/task')))"
    assert what_python_prints(f"import {module}, numpy, os; numpy.eye(2) @ numpy.eye(2); {count}") == "1\n"


@pytest.mark.parametrize("name", ["OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"])
def test_what_the_user_says_counts(name):
    said = "3" if name.startswith("OPENBLAS") else "None"
    assert what_python_prints(f"import kaldi_bridge.commands; {PRINT_VARIABLE}", **{name: "3"}) == f"{said}\n"


def test_the_libraries_leave_numpy_alone():
    assert what_python_prints(f"import kaldi_bridge, nnet3_compat, steps_pytorch; {PRINT_VARIABLE}") == "None\n"

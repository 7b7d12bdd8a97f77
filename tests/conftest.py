"""Where the references are: Kaldi's own numbers beside the checkout, never inside it. One thread for each program."""

import os
from pathlib import Path

import pytest

from tests.helpers.places import ROOT

# Threads that share small tensors spend a busy machine's time waiting for each other; commands inherit this.
os.environ.setdefault("OMP_NUM_THREADS", "1")

SHARED = Path(os.environ.get("NNET_PYTORCH_SHARED", ROOT.parent / "shared"))


def shared(name: str) -> Path:
    """The folder ``name`` beside the checkout; skips where there is none, fails where CI=true."""
    path = SHARED / name
    if not path.is_dir():
        message = f"needs {path}, which this clone does not have beside it"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    return path


@pytest.fixture(scope="session")
def reference() -> Path:
    """What real Kaldi computed on real speech."""
    return shared("reference")


@pytest.fixture(scope="session")
def corpus() -> Path:
    """Recorded speech."""
    return shared("corpus")

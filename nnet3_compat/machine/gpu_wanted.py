"""Whether --use-gpu may mean a GPU, found out without importing torch, which takes seconds."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from kaldi_bridge import log
from kaldi_bridge.errors import KaldiError


def gpu_wanted(use_gpu: str) -> bool:
    """False: the CPU is meant, also where torch is not built for GPUs, or is not there at all.

    Raises KaldiError for another word than yes, no, optional, wait.
    """
    if use_gpu not in ("yes", "no", "optional", "wait"):
        raise KaldiError(f"Please choose : --use-gpu=yes|no|optional|wait, passed '{use_gpu}'")
    if use_gpu == "no":
        return False
    if not _torch_is_for_gpus():
        log.vlog(1, f"--use-gpu={use_gpu}: this torch was built without CUDA, computing on the CPU")
        return False
    return True


def _torch_is_for_gpus() -> bool:
    """By the file that a build of torch says its kind in; where that cannot be read, torch itself is to be asked."""
    package = importlib.util.find_spec("torch")
    if package is None or not package.submodule_search_locations:
        return False
    spec = importlib.util.spec_from_file_location("version", Path(package.submodule_search_locations[0], "version.py"))
    assert spec is not None and spec.loader is not None
    version = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(version)
        return version.cuda is not None or version.hip is not None
    except (OSError, AttributeError):
        return True

"""What the installed PyTorch was built for, told without importing it (which takes seconds)."""

from __future__ import annotations

from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path


def built_for_gpus() -> bool:
    """Whether it is a build for CUDA or ROCm; False where there is none."""
    torch = find_spec("torch")
    if torch is None or torch.origin is None:
        return False
    spec = spec_from_file_location("torch_version", Path(torch.origin).with_name("version.py"))
    if spec is None or spec.loader is None:
        return False
    version = module_from_spec(spec)
    spec.loader.exec_module(version)
    return getattr(version, "cuda", None) is not None or getattr(version, "hip", None) is not None

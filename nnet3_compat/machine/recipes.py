"""Where what recipes call lies: ``steps_pytorch/`` and ``utils/``, side by side."""

from __future__ import annotations

import sys
from pathlib import Path

from kaldi_bridge.errors import KaldiError

SHARE = "share/nnet-pytorch"
FOLDERS = ("steps_pytorch", "steps_pytorch/lib", "utils", "utils/data")


def installed_files(root: Path) -> list[tuple[str, list[str]]]:
    """What setup.py has installed below ``SHARE``, by folder: the shell scripts, and Python's of utils/."""
    found = []
    for folder in FOLDERS:
        kinds = ("*.sh", "*.py") if folder == "utils" else ("*.sh",)
        scripts = [path for kind in kinds for path in (root / folder).glob(kind)]
        found.append((f"{SHARE}/{folder}", sorted(str(path.relative_to(root)) for path in scripts)))
    return found


def recipes_folder() -> Path:
    """Of the checkout that this package lies in, or of the installation.

    Raises KaldiError where there is neither.
    """
    for folder in (Path(__file__).resolve().parents[2], Path(sys.prefix) / SHARE):
        if (folder / "steps_pytorch" / "train.sh").is_file() and (folder / "utils" / "run.py").is_file():
            return folder
    raise KaldiError(f"there are no steps_pytorch/ and utils/ in {Path(sys.prefix) / SHARE}: install nnet-pytorch anew")

"""A folder that appears whole or not at all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kaldi_bridge.errors import KaldiError


@contextmanager
def whole_folder(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A new folder to be filled, which has its name once the block has ended without an error.

    Raises KaldiError where there is something of that name, or nothing can be written.
    """
    target = Path(path)
    if target.exists():
        raise KaldiError(f"{target} is there already")
    made = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        made.mkdir(parents=True)
        yield made
        made.rename(target)
    except OSError as error:
        raise KaldiError(f"{error.filename or target}: {error.strerror}") from error
    finally:
        shutil.rmtree(made, ignore_errors=True)

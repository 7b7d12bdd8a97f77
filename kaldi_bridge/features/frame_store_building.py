"""Building memory-mapped stores (frame_store.py): jobs write parts side by side, then one step makes them a store.

A job that was killed goes on after the last part that it finished; nothing that is half-written keeps a name.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.features.frame_store import DTYPES, INDEX, VERSION, Part, checksum, frames_file, utterances_file
from kaldi_bridge.io.json_text import parse_json
from kaldi_bridge.io.specifiers import parse_rspecifier
from kaldi_bridge.io.text import encode
from kaldi_bridge.tables import SequentialReader
from kaldi_bridge.tables.entries import ObjectLoader
from kaldi_bridge.tables.holders import FLOAT_MATRIX
from kaldi_bridge.tables.scp import read_script, split_range

PART_BYTES = 1 << 28


@dataclass
class Progress:
    """What a job has done: so many of its utterances read, some of them bad, into these parts of so many columns."""

    source: str
    dtype: str
    columns: int = 0
    done: int = 0
    bad: int = 0
    finished: bool = False
    parts: list[Part] = field(default_factory=list)


class StoreJob:
    """One job's share of a store.

    Args:
        job: its number.
        source: what the frames are made from, as text; another one than before makes the job begin again.
        part_bytes: a part is written when it has so many; as much is held in memory.
    """

    def __init__(self, directory: Path, job: int, source: str, dtype: str, part_bytes: int = PART_BYTES) -> None:
        if dtype not in DTYPES:
            raise KaldiError(f"a store of {dtype}: must be one of {', '.join(DTYPES)}")
        self._directory, self._job, self._part_bytes = directory, job, part_bytes
        self._dtype = np.dtype(dtype)
        directory.mkdir(parents=True, exist_ok=True)
        self._file = progress_file(directory, job)
        wanted = Progress(checksum(encode(source)), dtype)
        self.progress = _read_progress(self._file) or wanted
        if (self.progress.source, self.progress.dtype) != (wanted.source, wanted.dtype):
            self.progress = wanted
        if not self.progress.finished:
            (directory / INDEX).unlink(missing_ok=True)  # its parts are about to change
        self._rows: list[np.ndarray] = []
        self._lines: list[str] = []
        self._held = 0

    def build(self, utterances: Iterable[tuple[str, Callable[[], np.ndarray]]]) -> Progress:
        """Writes the frames [frames, columns] of utterances, each of which is loaded when its turn comes.

        Those that cannot be loaded (KaldiError), have no frames, another number of columns than the first one, or
        numbers beyond the range of the dtype are left out, with a warning, and counted.
        """
        progress = self.progress
        if progress.finished:
            return progress
        if progress.done:
            log.info(f"job {self._job} goes on after {progress.done} utterances")
        number = progress.done
        for number, (utterance, load) in enumerate(utterances, 1):
            if number <= progress.done:
                continue
            try:
                rows = self._checked(load())
            except KaldiError as error:
                log.warning(f"utterance {utterance} is left out: {error}")
                progress.bad += 1
            else:
                self._rows.append(rows)
                self._lines.append(f"{utterance} {len(rows)}\n")
                self._held += rows.nbytes
            if self._held >= self._part_bytes:
                self._write_part(number)
        progress.finished = True
        self._write_part(number)
        return progress

    def _checked(self, rows: np.ndarray) -> np.ndarray:
        if rows.ndim != 2 or not rows.size:
            raise KaldiError("it has no frames")
        self.progress.columns = self.progress.columns or rows.shape[1]
        if rows.shape[1] != self.progress.columns:
            raise KaldiError(f"dimension {rows.shape[1]}, but others have {self.progress.columns}")
        with np.errstate(over="ignore", invalid="ignore"):
            converted = rows.astype(self._dtype)
        if self._dtype.kind == "f" and not np.isfinite(converted).all():
            raise KaldiError(f"it has infinite values or NaNs, at least as {self._dtype}")
        if self._dtype.kind == "i" and not np.array_equal(converted, rows):
            raise KaldiError(f"a value from {rows.min()} to {rows.max()} is no {self._dtype}")
        return converted

    def _write_part(self, done: int) -> None:
        """The frames that are held as one more part, and the progress."""
        if self._lines:
            part = f"{self._job}.{len(self.progress.parts) + 1}"
            rows = np.concatenate(self._rows)
            text = encode("".join(self._lines))
            path = frames_file(self._directory, part)
            write_whole(path, lambda file: _save(file, rows))
            write_whole(utterances_file(self._directory, part), lambda file: file.write(text))
            self.progress.parts.append(Part(part, len(rows), path.stat().st_size, checksum(text)))
        self.progress.done = done
        self._rows, self._lines, self._held = [], [], 0
        text = encode(json.dumps(asdict(self.progress)))
        write_whole(self._file, lambda file: file.write(text))


def progress_file(directory: Path, job: int) -> Path:
    """What a job has finished, to go on from."""
    return directory / f"job.{job}.json"


def finish_store(directory: Path, num_jobs: int) -> tuple[int, int]:
    """Makes the parts of all jobs a store; returns the numbers of utterances that are in it, and of bad ones.

    Raises:
        KaldiError: a job has not finished, they have different dimensions, or there is no utterance at all.
    """
    parts: list[Part] = []
    of_columns: dict[int, int] = {}
    done = bad = 0
    dtype = ""
    for job in range(1, num_jobs + 1):
        progress = _read_progress(progress_file(directory, job))
        if progress is None or not progress.finished:
            raise KaldiError(f"job {job} of the store {directory} has not finished: see its log and build it again")
        parts += progress.parts
        done, bad, dtype = done + progress.done, bad + progress.bad, progress.dtype
        if progress.columns:
            of_columns.setdefault(progress.columns, job)
    if len(of_columns) > 1:
        shown = ", ".join(f"{columns} in job {job}" for columns, job in of_columns.items())
        raise KaldiError(f"the utterances of {directory} have different dimensions: {shown}")
    if not parts:
        raise KaldiError(f"there is not one good utterance for the store {directory}: see the logs")
    store = {"version": VERSION, "dtype": dtype, "columns": next(iter(of_columns)), "parts": [asdict(p) for p in parts]}
    text = json.dumps({"checksum": checksum(encode(json.dumps(store, sort_keys=True))), "store": store}, indent=1)
    write_whole(directory / INDEX, lambda file: file.write(encode(text) + b"\n"))
    _remove_others(directory, {part.name for part in parts}, num_jobs)
    return done - bad, bad


def _remove_others(directory: Path, names: set[str], num_jobs: int) -> None:
    """What an earlier build with other data left behind."""
    for path in directory.glob("frames.*.npy"):
        if path.name.removeprefix("frames.").removesuffix(".npy") not in names:
            path.unlink()
    for path in directory.glob("utterances.*"):
        if path.name.removeprefix("utterances.") not in names:
            path.unlink()
    job = num_jobs + 1
    while progress_file(directory, job).exists():
        progress_file(directory, job).unlink()
        job += 1


def _save(file: Any, rows: np.ndarray) -> None:
    """As numpy.save, which would not tell why it cannot write."""
    np.lib.format.write_array_header_1_0(file, np.lib.format.header_data_from_array_1_0(rows))
    file.write(rows.data)


def write_whole(path: Path, write: Callable[[Any], object]) -> None:
    """A file that appears whole or not at all; raises KaldiError, a full disk say, without leaving anything."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with open(temporary, "xb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        raise KaldiError(f"cannot write {path}: {error.strerror or error}") from None
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()


def _read_progress(path: Path) -> Progress | None:
    try:
        fields = parse_json(path.read_bytes(), str(path))
        fields["parts"] = [Part(**part) for part in fields["parts"]]
        return Progress(**fields)
    except (OSError, KaldiError, KeyError, TypeError):
        return None  # not there, or of no use: begin again


def feature_entries(rspecifier: str) -> Iterator[tuple[str, Callable[[], np.ndarray]]]:
    """Utterances of a table of features, and how each is loaded; one that a script file names may fail alone."""
    options = parse_rspecifier(rspecifier)
    if options is None or options.kind != "scp":
        with SequentialReader(rspecifier, FLOAT_MATRIX) as reader:
            for utterance, features in reader:
                yield utterance, partial(_same, features)
        return
    loader = ObjectLoader(FLOAT_MATRIX)
    try:
        for utterance, rxfilename in read_script(options.rxfilename).items():
            yield utterance, partial(loader.load, rxfilename)
    finally:
        loader.close()


def description(rspecifier: str) -> str:
    """What tells whether a table is the one that it was: its lines, and the size and time of the files they name."""
    options = parse_rspecifier(rspecifier)
    if options is None or options.kind != "scp":
        return rspecifier
    script = read_script(options.rxfilename)
    files = dict.fromkeys(split_range(name)[0].rpartition(":")[0] or name for name in script.values())
    lines = [f"{utterance} {name}" for utterance, name in script.items()]
    for file in files:
        with contextlib.suppress(OSError):
            status = os.stat(file)
            lines.append(f"{file} {status.st_size} {status.st_mtime_ns}")
    return "\n".join(lines)


def _same(features: np.ndarray) -> np.ndarray:
    return features

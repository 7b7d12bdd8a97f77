"""Memory-mapped stores: the rows of all frames of many utterances, for reading any part of any of them at once.

A store is a directory:

    store.json            dtype, columns, and the parts with their sizes and checksums
    frames.<part>.npy     [rows, columns], the utterances one after the other: numpy.load(..., mmap_mode="r")
    utterances.<part>     lines "utterance frames", in the same order

What is resident of a mapping grows with what was read of it; it is therefore mapped anew after ``RESIDENT_BYTES``.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.json_text import parse_json
from kaldi_bridge.io.text import encode
from kaldi_bridge.io.text_files import read_lines

INDEX = "store.json"
VERSION = 1
DTYPES = ("float32", "float16", "int32", "int16")
RESIDENT_BYTES = 1 << 28


@dataclass
class Part:
    """``checksum``: SHA-256 of utterances.<name>; ``size``: bytes of frames.<name>.npy."""

    name: str
    rows: int
    size: int
    checksum: str


def frames_file(directory: Path, part: str) -> Path:
    """Where the frames of a part are: an array that numpy reads."""
    return directory / f"frames.{part}.npy"


def utterances_file(directory: Path, part: str) -> Path:
    """Where it stands which utterances a part has."""
    return directory / f"utterances.{part}"


def checksum(data: bytes) -> str:
    """SHA-256 in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


class FrameStore:
    """An opened store.

    Attributes:
        lengths: frames of each utterance, in the order of the store.
        dim: columns.
    """

    def __init__(self, directory: str | os.PathLike[str]) -> None:
        """Checks everything but the frames themselves.

        Raises:
            KaldiError: there is no store, it is not finished, or a file of it is not what was written.
        """
        self.directory = Path(directory)
        index = _read_index(self.directory)
        self.dtype, self.dim = np.dtype(index["dtype"]), int(index["columns"])
        self.lengths: dict[str, int] = {}
        self._places: dict[str, tuple[int, int]] = {}  # part, first row
        self._parts = [Part(**part) for part in index["parts"]]
        self._maps: dict[int, np.ndarray] = {}
        self._read = 0
        for number, part in enumerate(self._parts):
            self._open_part(number, part)

    def _open_part(self, number: int, part: Part) -> None:
        path, listing = frames_file(self.directory, part.name), utterances_file(self.directory, part.name)
        try:
            size = path.stat().st_size
            text = listing.read_bytes()
        except OSError as error:
            raise KaldiError(f"corrupt store: cannot read {error.filename}: {error.strerror}; build it anew") from None
        if size != part.size:
            raise KaldiError(f"corrupt store: {path} has {size} bytes instead of {part.size}; build it anew")
        if checksum(text) != part.checksum:
            raise KaldiError(f"corrupt store: {listing} is not what was written; build it anew")
        row = 0
        for utterance, length in read_lines(listing):
            if utterance in self.lengths:
                raise KaldiError(f"{self.directory}: utterance {utterance} is there twice; build it anew")
            self.lengths[utterance] = int(length)
            self._places[utterance] = number, row
            row += int(length)
        mapped = self._map(number)
        if mapped.shape != (row, self.dim) or mapped.dtype != self.dtype or row != part.rows:
            raise KaldiError(
                f"corrupt store: {path} holds {mapped.dtype} {mapped.shape} instead of {self.dtype} {(row, self.dim)}; "
                "build it anew"
            )

    def __contains__(self, utterance: str) -> bool:
        return utterance in self.lengths

    def rows(self, utterance: str, first: int, count: int) -> np.ndarray:
        """[count, dim], a copy. The rows must be there.

        Raises:
            KaldiError: there is no such utterance.
        """
        if utterance not in self.lengths:
            raise KaldiError(f"utterance {utterance} is not in the store {self.directory}")
        if not 0 <= first <= first + count <= self.lengths[utterance]:
            raise KaldiError(
                f"{self.directory}: utterance {utterance} has {self.lengths[utterance]} frames, "
                f"not those from {first} to {first + count - 1}"
            )
        number, start = self._places[utterance]
        found = np.array(self._map(number)[start + first : start + first + count])
        self._read += found.nbytes
        if self._read > RESIDENT_BYTES:
            self._maps.clear()
            self._read = 0
        return found

    def _map(self, number: int) -> np.ndarray:
        if number not in self._maps:
            path = frames_file(self.directory, self._parts[number].name)
            try:
                self._maps[number] = np.lib.format.open_memmap(path, mode="r")
            except (OSError, ValueError) as error:
                raise KaldiError(f"corrupt store: {path}: {error}; build it anew") from None
        return self._maps[number]

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_maps": {}}  # another process maps the files for itself


def _read_index(directory: Path) -> dict[str, Any]:
    path = directory / INDEX
    if not path.is_file():
        unfinished = any(directory.glob("frames.*.npy"))
        raise KaldiError(
            f"the store {directory} is not finished: build it again, which goes on where it stopped"
            if unfinished
            else f"no such store {directory} ({path} is missing): build it with make_memmap.sh"
        )
    try:
        text = parse_json(path.read_bytes(), str(path))
        index, own = text["store"], text["checksum"]
        valid = own == checksum(encode(json.dumps(index, sort_keys=True)))
    except (OSError, KaldiError, KeyError, TypeError) as error:
        raise KaldiError(f"corrupt store: {path}: {error}; build it anew") from None
    if not valid:
        raise KaldiError(f"corrupt store: {path} is not what was written; build it anew")
    if index["version"] != VERSION or index["dtype"] not in DTYPES:
        raise KaldiError(f"{path}: version {index['version']}, dtype {index['dtype']}: made by another nnet-pytorch")
    return index

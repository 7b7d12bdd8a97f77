"""Reading and writing feature archives: kaldi_bridge beside kaldi_native_io (Kaldi's own code in C++).

Each pair is timed alternately and the best of several rounds counts; the ratio is our speed over theirs.
"""

from __future__ import annotations

import itertools
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import kaldi_native_io
import numpy as np

from kaldi_bridge.tables import RandomAccessReader, SequentialReader, TableWriter
from kaldi_bridge.tables.holders import FLOAT_MATRIX, compressed_matrix

ROUNDS = 9


def features(frames: Iterable[int], dim: int) -> list[tuple[str, np.ndarray]]:
    """Made-up features for utterances of the given numbers of frames."""
    random = np.random.default_rng(0)
    return [(f"utt{i:05}", random.standard_normal((n, dim), np.float32)) for i, n in enumerate(frames)]


def read_ours(rspecifier: str) -> int:
    return sum(feats.shape[0] for _, feats in SequentialReader(rspecifier, FLOAT_MATRIX))


def read_theirs(rspecifier: str) -> int:
    with kaldi_native_io.SequentialFloatMatrixReader(rspecifier) as reader:
        return sum(feats.shape[0] for _, feats in reader)


def look_up_ours(rspecifier: str, keys: list[str]) -> int:
    reader = RandomAccessReader(rspecifier, FLOAT_MATRIX)
    return sum(reader[key].shape[0] for key in keys)


def look_up_theirs(rspecifier: str, keys: list[str]) -> int:
    with kaldi_native_io.RandomAccessFloatMatrixReader(rspecifier) as reader:
        return sum(reader[key].shape[0] for key in keys)


def write_ours(wspecifier: str, data: list[tuple[str, np.ndarray]]) -> None:
    with TableWriter(wspecifier, FLOAT_MATRIX) as writer:
        for key, feats in data:
            writer.write(key, feats)


def write_theirs(wspecifier: str, data: list[tuple[str, np.ndarray]]) -> None:
    with kaldi_native_io.FloatMatrixWriter(wspecifier) as writer:
        for key, feats in data:
            writer.write(key, feats)


def compress_ours(wspecifier: str, data: list[tuple[str, np.ndarray]]) -> None:
    with TableWriter(wspecifier, compressed_matrix(2)) as writer:
        for key, feats in data:
            writer.write(key, feats)


def compress_theirs(wspecifier: str, data: list[tuple[str, np.ndarray]]) -> None:
    method = kaldi_native_io.CompressionMethod.kSpeechFeature
    with kaldi_native_io.CompressedMatrixWriter(wspecifier) as writer:
        for key, feats in data:
            writer.write(key, feats, method)


def seconds(function: Callable[[], object]) -> float:
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def compare(name: str, megabytes: float, ours: Callable[[], object], theirs: Callable[[], object]) -> None:
    ours(), theirs()
    times = [(seconds(ours), seconds(theirs)) for _ in range(ROUNDS)]
    best_ours, best_theirs = (min(column) for column in zip(*times, strict=True))
    speeds = f"{megabytes / best_ours:9.0f} {megabytes / best_theirs:16.0f}"
    print(f"{name:<44} {speeds} {best_theirs / best_ours:9.2f}")


def main() -> None:
    print(f"{'MB/s':<44} {'ours':>9} {'kaldi_native_io':>16} {'ratio':>9}")
    sets = {
        "digits (50 frames x 40)": features([50] * 4000, 40),
        "utterances (100 to 2000 frames x 40)": features(itertools.islice(range(100, 2000, 9), 200), 40),
        "long recordings (60000 frames x 80)": features([60000] * 3, 80),
    }
    with tempfile.TemporaryDirectory() as directory:
        ark, scp, out = (str(Path(directory, name)) for name in ("feats.ark", "feats.scp", "out.ark"))
        for name, data in sets.items():
            write_ours(f"ark,scp:{ark},{scp}", data)
            size = sum(feats.nbytes for _, feats in data) / 1e6
            keys = [key for key, _ in data]
            np.random.default_rng(1).shuffle(keys)
            compare(f"read ark: {name}", size, lambda: read_ours(f"ark:{ark}"), lambda: read_theirs(f"ark:{ark}"))
            compare(f"read scp: {name}", size, lambda: read_ours(f"scp:{scp}"), lambda: read_theirs(f"scp:{scp}"))
            compare(
                f"look up:  {name}",
                size,
                lambda keys=keys: look_up_ours(f"scp:{scp}", keys),
                lambda keys=keys: look_up_theirs(f"scp:{scp}", keys),
            )
            compare(
                f"write:    {name}",
                size,
                lambda data=data: write_ours(f"ark:{out}", data),
                lambda data=data: write_theirs(f"ark:{out}", data),
            )
        name, data = "utterances, compressed", sets["utterances (100 to 2000 frames x 40)"]
        size = sum(feats.nbytes for _, feats in data) / 1e6
        compare(
            f"write:    {name}",
            size,
            lambda: compress_ours(f"ark,scp:{ark},{scp}", data),
            lambda: compress_theirs(f"ark:{out}", data),
        )
        compare(f"read ark: {name}", size, lambda: read_ours(f"ark:{ark}"), lambda: read_theirs(f"ark:{ark}"))
        keys = [key for key, _ in data]
        np.random.default_rng(1).shuffle(keys)
        compare(
            f"look up:  {name}",
            size,
            lambda: look_up_ours(f"scp:{scp}", keys),
            lambda: look_up_theirs(f"scp:{scp}", keys),
        )


if __name__ == "__main__":
    main()

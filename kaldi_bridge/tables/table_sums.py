"""Sums of matrices or vectors: of several tables, of one table, of single files (bin/matrix-sum.cc, vector-sum.cc).

An object holder reads and writes both tables and files; arrays are float32 and summed in double where Kaldi does so.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.io.filenames import printable_output
from kaldi_bridge.io.streams import open_input, open_output
from kaldi_bridge.tables import RandomAccessReader, SequentialReader, TableWriter
from kaldi_bridge.tables.holders import FLOAT_MATRIX, FLOAT_VECTOR, ObjectHolder


@dataclass(frozen=True)
class Summands:
    """``one`` and ``many``: what they are called in messages."""

    holder: ObjectHolder[np.ndarray]
    one: str
    many: str


MATRICES = Summands(FLOAT_MATRIX, "matrix", "matrices")
VECTORS = Summands(FLOAT_VECTOR, "vector", "vectors")


def sum_tables(kind: Summands, rspecifiers: list[str], wspecifier: str, scales: list[float]) -> bool:
    """Adds, to each object of the first table times its scale, those of the same key in the others.

    Objects that are missing or of other dimensions are warned of and left out. Whether most were there.
    """
    done = total = missing = 0
    with ExitStack() as stack:
        first = stack.enter_context(SequentialReader(rspecifiers[0], kind.holder))
        others = [stack.enter_context(RandomAccessReader(rspecifier, kind.holder)) for rspecifier in rspecifiers[1:]]
        writer = stack.enter_context(TableWriter(wspecifier, kind.holder))
        for key, value in first:
            result = value * np.float32(scales[0])
            total += 1
            for i, table in enumerate(others, 1):
                where = f"system {i + 1}, rspecifier: {rspecifiers[i]}"
                if key not in table:
                    log.warning(f"No {kind.one} found for utterance {key} for {where}")
                    missing += 1
                    continue
                total += 1
                if table[key].shape == result.shape:
                    result += np.float32(scales[i]) * table[key]
                else:
                    log.warning(
                        f"Dimension mismatch for utterance {key} : {_size(table[key])} for {where} vs {_size(result)} "
                        f"primary {kind.one}, rspecifier:{rspecifiers[0]}"
                    )
            writer.write(key, result)
            done += 1
    log.info(
        f"Processed {done} utterances: with a total of {total} {kind.many} across {len(rspecifiers)} different systems"
    )
    log.info(f"Produced output for {done} utterances; {missing} total missing {kind.many}")
    return done > 0 and missing < done - missing


def sum_table(kind: Summands, rspecifier: str, wxfilename: str, binary: bool, average: bool = False) -> bool:
    """Adds all objects of a table; those that are empty or of other dimensions are warned of. Whether most fitted."""
    total: np.ndarray | None = None
    done = errors = 0
    with SequentialReader(rspecifier, kind.holder) as reader:
        for key, value in reader:
            if not value.size:
                log.warning(f"Zero {kind.one} input for key {key}")
                errors += 1
                continue
            if total is None:
                total = np.zeros(value.shape)
            if total.shape != value.shape:
                log.warning(f"Dimension mismatch for key {key}: {_size(value)} vs. {_size(total)}")
                errors += 1
                continue
            total += value
            done += 1
    if total is None:
        total = np.zeros((0, 0) if kind is MATRICES else 0)
    _write(kind, wxfilename, binary, total / done if average and done else total)
    log.info(
        f"Summed {done} {kind.many}, {errors} with errors; wrote sum to {printable_output(wxfilename)}",
    )
    return done > 0 and errors < done


def sum_files(kind: Summands, rxfilenames: list[str], wxfilename: str, binary: bool, average: bool = False) -> None:
    """Adds single objects, smaller ones as if they ended in zeros."""
    values = []
    for rxfilename in rxfilenames:
        with open_input(rxfilename) as stream:
            values.append(kind.holder.read(stream))
    total = np.zeros(np.max([value.shape for value in values], axis=0), np.float32)
    for value in values:
        total[tuple(slice(size) for size in value.shape)] += value
    _write(kind, wxfilename, binary, total / len(values) if average else total)
    log.info(f"Summed {len(values)} {kind.many}; wrote sum to {printable_output(wxfilename)}")


def _write(kind: Summands, wxfilename: str, binary: bool, value: np.ndarray) -> None:
    with open_output(wxfilename) as stream:
        kind.holder.write(stream, binary, value)


def _size(value: np.ndarray) -> str:
    return " by ".join(map(str, value.shape))

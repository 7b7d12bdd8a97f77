"""Entries that have the same key in several tables, made into one (paste-feats, paste-vectors, multiply-vectors)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.errors import EntryError
from kaldi_bridge.tables.holders import ObjectHolder
from kaldi_bridge.tables.loop import TableLoop
from kaldi_bridge.tables.random_access import RandomAccessReader
from kaldi_bridge.tables.sequential import SequentialReader
from kaldi_bridge.tables.table_writer import TableWriter


def combine_tables(
    holder: ObjectHolder[np.ndarray],
    rspecifiers: Sequence[str],
    wspecifier: str,
    combined: Callable[[str, list[np.ndarray]], np.ndarray],
) -> int:
    """Writes what ``combined`` makes of a key and its entries, in the order of the first table; the exit status.

    Keys that another table lacks are left out with a warning, as are those of which EntryError is raised.
    """
    loop = TableLoop()
    with ExitStack() as stack:
        writer = stack.enter_context(TableWriter(wspecifier, holder))
        reader = stack.enter_context(SequentialReader(rspecifiers[0], holder))
        tables = [stack.enter_context(RandomAccessReader(name, holder)) for name in rspecifiers[1:]]
        for key, value in reader:
            with loop.entry(key):
                parts = [value]
                for name, table in zip(rspecifiers[1:], tables, strict=True):
                    if key not in table:
                        raise EntryError(f"Missing utt {key} from input {name}")
                    parts.append(table[key])
                writer.write(key, combined(key, parts))
    log.info(f"Done {loop.done} utts, errors on {loop.failed}")
    return 0 if loop.done else 255

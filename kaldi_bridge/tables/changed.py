"""Features of a table changed one utterance at a time (add-deltas, splice-feats, apply-cmvn-sliding and others)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.errors import EntryError
from kaldi_bridge.tables.holders import FLOAT_MATRIX
from kaldi_bridge.tables.loop import TableLoop
from kaldi_bridge.tables.sequential import SequentialReader
from kaldi_bridge.tables.table_writer import TableWriter


def change_features(
    rspecifier: str,
    wspecifier: str,
    changed: Callable[[np.ndarray], np.ndarray],
    empty: Callable[[str, np.ndarray], str] | None = None,
    progress: int = 0,
) -> TableLoop:
    """Writes what ``changed`` makes of each utterance's features; the loop has counted them.

    Args:
        empty: what to warn of, given utterance and features, where those without frames are left out.
        progress: how many have been done is told after each so many; 0: never.
    """
    loop = TableLoop()
    with SequentialReader(rspecifier, FLOAT_MATRIX) as reader, TableWriter(wspecifier, FLOAT_MATRIX) as writer:
        for utterance, feats in reader:
            with loop.entry(utterance):
                if empty and not len(feats):
                    raise EntryError(empty(utterance, feats))
                writer.write(utterance, changed(feats))
            if progress and loop.done and loop.done % progress == 0:
                log.info(f"Processed {loop.done} utterances")
    return loop

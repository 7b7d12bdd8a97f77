"""Labels of frames, such as speech and nonspeech: the likeliest one, and those of two decisions merged.

(ivectorbin/compute-vad-from-frame-likes.cc, merge-vads.cc.)
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kaldi_bridge.errors import EntryError, KaldiError
from kaldi_bridge.io.streams import open_input
from kaldi_bridge.io.text import decode, is_number, shown, words

BOTH_SPEAK = {(0, 0): 0, (0, 1): 0, (1, 0): 0, (1, 1): 1}
"""Labels of two decisions and the merged one, where nothing else is said."""


def read_label_map(rxfilename: str, columns: int) -> list[list[int]]:
    """Rows of a file of so many integers each; what follows a # is ignored. Raises KaldiError for other lines."""
    rows = []
    with open_input(rxfilename) as stream:
        for number, line in enumerate(stream.lines(), 1):
            fields = words(decode(line).partition("#")[0])
            if not fields:
                continue
            if len(fields) != columns or not all(is_number(field.removeprefix("-")) for field in fields):
                raise KaldiError(f"{rxfilename}: line {number}: Expected {columns} integers, got: {shown(line)}")
            rows.append([int(field) for field in fields])
    return rows


def likeliest_labels(
    log_likelihoods: Sequence[np.ndarray], log_priors: np.ndarray, labels: dict[int, int]
) -> np.ndarray:
    """float32 [frames]: the label of the class of the greatest posterior, the first one of equals.

    ``log_likelihoods``: of each class, float32 [frames]. Raises EntryError where their lengths differ.
    """
    for other in log_likelihoods[1:]:
        if len(other) != len(log_likelihoods[0]):
            raise EntryError(f"Dimension mismatch in input vectors: {len(log_likelihoods[0])} vs. {len(other)}")
    best = np.argmax(np.stack(log_likelihoods) + log_priors[:, np.newaxis].astype(np.float32), axis=0)
    return np.array([labels[number] for number in best.tolist()], np.float32)


def merged_labels(first: np.ndarray, second: np.ndarray, merged: dict[tuple[int, int], int]) -> np.ndarray:
    """float32 [frames] of two decisions [frames]. Raises KaldiError for a combination that ``merged`` lacks."""
    pairs = list(zip(first.astype(np.int64).tolist(), second.astype(np.int64).tolist(), strict=True))
    for pair in pairs:
        if pair not in merged:
            raise KaldiError(f"Map is missing combination {pair[0]} and {pair[1]}")
    return np.array([merged[pair] for pair in pairs], np.float32)

"""Which words of a text are those that were heard: an alignment with the fewest errors, in memory of a row.

Of the text's first half and of its second the distances to all beginnings and ends of what was heard tell where the
halves meet; then each is aligned alone (Hirschberg, 1975).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

SMALL = 1 << 20  # cells of a table that is kept whole


def matches(text: np.ndarray, heard: np.ndarray) -> Iterator[tuple[int, int]]:
    """The places (in the text, in what was heard) of words that are the same, in their order; integers [words] each."""
    return _matches(text, heard, 0, 0)


def _matches(text: np.ndarray, heard: np.ndarray, first: int, first_heard: int) -> Iterator[tuple[int, int]]:
    if len(text) < 2 or (len(text) + 1) * (len(heard) + 1) <= SMALL:
        yield from ((first + i, first_heard + j) for i, j in _small_matches(text, heard))
        return
    middle = len(text) // 2
    before = _rows(text[:middle], heard)[-1]
    after = _rows(text[middle:][::-1], heard[::-1])[-1][::-1]
    meeting = int(np.argmin(before + after))
    yield from _matches(text[:middle], heard[:meeting], first, first_heard)
    yield from _matches(text[middle:], heard[meeting:], first + middle, first_heard + meeting)


def _rows(text: np.ndarray, heard: np.ndarray, keep: bool = False) -> list[np.ndarray]:
    """Distances of beginnings of the text to all beginnings of what was heard: the last row or, to ``keep``, all."""
    places = np.arange(len(heard) + 1, dtype=np.int32)
    rows = [places]
    for number, word in enumerate(text, 1):
        above = rows[-1]
        row = np.empty_like(above)
        row[0] = number
        np.minimum(above[:-1] + (heard != word), above[1:] + 1, out=row[1:])
        row = np.minimum.accumulate(row - places) + places  # words that were heard beside the text
        if keep:
            rows.append(row)
        else:
            rows = [row]
    return rows


def _small_matches(text: np.ndarray, heard: np.ndarray) -> list[tuple[int, int]]:
    rows, found = _rows(text, heard, keep=True), []
    i, j = len(text), len(heard)
    while i and j:
        same = text[i - 1] == heard[j - 1]
        if rows[i][j] == rows[i - 1][j - 1] + (not same):
            i, j = i - 1, j - 1
            if same:
                found.append((i, j))
        elif rows[i][j] == rows[i - 1][j] + 1:
            i -= 1
        else:
            j -= 1
    return found[::-1]

"""Segments of a recording in which a text was heard as it is written.

Where the words that were heard are those of the text, one after the other, there is a run. A segment is a part of a run
between two pauses, so that no word is cut and none is next to what was heard otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from nnet3_compat.alignment.hearing import HeardWord, Hearing
from nnet3_compat.alignment.matching import matches
from nnet3_compat.alignment.options import SegmentationOptions
from nnet3_compat.alignment.vocabulary import Spoken


class TextSegment(NamedTuple):
    """``start`` and ``end`` in seconds; its words are those from ``first`` to before ``last`` of the transcript."""

    start: float
    end: float
    first: int
    last: int


class _Run(NamedTuple):
    """Words of the text from ``first`` on (numbers, not words as written) that are heard ones from ``heard`` on."""

    first: int
    heard: int
    length: int


def segments_of(spoken: Sequence[Spoken], hearing: Hearing, options: SegmentationOptions) -> list[TextSegment]:
    """Of a recording and its transcript, in the order of time."""
    numbers = np.array([number for _, numbers in spoken for number in numbers])
    written = np.repeat(np.arange(len(spoken)), [len(numbers) for _, numbers in spoken])
    pauses = _pauses(hearing)
    found = []
    for run in _runs(numbers, np.array([word.word for word in hearing.words], np.int64)):
        if run.length < options.min_words:
            continue
        begins = np.ones(run.length + 1, bool)  # where a word as written begins, or the run ends
        begins[1:-1] = np.diff(written[run.first : run.first + run.length]) != 0
        begins[0] = not run.first or written[run.first] != written[run.first - 1]
        end = run.first + run.length
        begins[-1] = end == len(written) or written[end] != written[end - 1]
        own = pauses[run.heard : run.heard + run.length + 1]
        for begin, stop in _parts(hearing.words[run.heard :][: run.length], own, begins, options):
            padding = [min(options.padding, pause / 2) for pause in (own[begin], own[stop])]
            found.append(
                TextSegment(
                    hearing.words[run.heard + begin].start - padding[0],
                    hearing.words[run.heard + stop - 1].end + padding[1],
                    int(written[run.first + begin]),
                    int(written[run.first + stop - 1]) + 1,
                )
            )
    return found


def _pauses(hearing: Hearing) -> np.ndarray:
    """Seconds of silence before each word that was heard, and after the last one."""
    starts = [word.start for word in hearing.words]
    ends = [word.end for word in hearing.words]
    return np.array([*starts, hearing.seconds]) - np.array([0.0, *ends])


def _runs(text: np.ndarray, heard: np.ndarray) -> Iterator[_Run]:
    run = None
    for i, j in matches(text, heard):
        if run is not None and (i, j) == (run.first + run.length, run.heard + run.length):
            run = run._replace(length=run.length + 1)
            continue
        if run is not None:
            yield run
        run = _Run(i, j, 1)
    if run is not None:
        yield run


def _parts(
    words: Sequence[HeardWord], pauses: np.ndarray, begins: np.ndarray, options: SegmentationOptions
) -> Iterator[tuple[int, int]]:
    """(first word, the one after the last) of parts of a run between pauses, none with a long one inside."""
    places = np.flatnonzero(begins & (pauses > options.min_pause - 1e-6)).tolist()
    if len(places) < 2:
        return
    waiting = [(places[0], places[-1])]
    while waiting:
        begin, stop = waiting.pop()
        inside = [place for place in places if begin < place < stop]
        widest = max(inside, key=lambda place: float(pauses[place]), default=None)
        is_long = words[stop - 1].end - words[begin].start > options.max_length
        if widest is not None and (is_long or pauses[widest] > options.max_pause):
            waiting += [(widest, stop), (begin, widest)]
        else:
            yield begin, stop

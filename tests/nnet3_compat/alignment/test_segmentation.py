"""Matching what was heard with a text, and what segments are made of it; no model."""

from __future__ import annotations

import numpy as np
import pytest

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.lattices.word_error_rate import edit_distance
from nnet3_compat.alignment import matching
from nnet3_compat.alignment.hearing import HeardWord, Hearing
from nnet3_compat.alignment.options import SegmentationOptions
from nnet3_compat.alignment.segmentation import segments_of
from nnet3_compat.alignment.vocabulary import Spoken


@pytest.mark.parametrize("small", [1, 50, 1 << 20])
def test_fewest_errors(small: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """As many as a table of all distances tells, however small the parts are that are aligned alone."""
    monkeypatch.setattr(matching, "SMALL", small)
    random = np.random.default_rng(0)
    for _ in range(60):
        text, heard = (random.integers(4, size=random.integers(0, 25)) for _ in range(2))
        pairs = list(matching.matches(text, heard))
        assert all(text[i] == heard[j] for i, j in pairs)
        assert all(i < k and j < m for (i, j), (k, m) in zip(pairs, pairs[1:], strict=False))
        places = [(-1, -1), *pairs, (len(text), len(heard))]
        errors = sum(max(k - i, m - j) - 1 for (i, j), (k, m) in zip(places, places[1:], strict=False))
        assert errors == sum(edit_distance([str(w) for w in text], [str(w) for w in heard]))


def heard(*words: tuple[int, float, float], seconds: float = 10.0) -> Hearing:
    return Hearing([HeardWord(*word) for word in words], seconds)


def written(*numbers: int) -> list[Spoken]:
    return [Spoken(str(number), (number,)) for number in numbers]


SAID = heard((1, 0.5, 1.0), (2, 1.0, 1.5), (3, 1.6, 2.0), (4, 2.0, 2.5), (5, 2.9, 3.5), (6, 3.6, 4.0), (7, 4.1, 5.0))


def times(text: list[Spoken], hearing: Hearing, **options: float) -> list[tuple[float, float, int, int]]:
    made = segments_of(text, hearing, SegmentationOptions(**options))
    return [(round(start, 3), round(end, 3), first, last) for start, end, first, last in made]


def test_segments_lie_between_pauses_away_from_errors() -> None:
    assert times(written(1, 2, 3, 4, 5, 6, 7), SAID) == [(0.3, 5.2, 0, 7)]
    # 9 is written where 4 was said: the words up to the pause before 4 are not there, nor is 3, which 4 touches
    assert times(written(1, 2, 3, 9, 5, 6, 7), SAID) == [(0.3, 1.55, 0, 2), (2.7, 5.2, 4, 7)]
    assert times(written(1, 2, 9, 4, 5, 6, 7), SAID) == [(2.7, 5.2, 4, 7)]
    assert times(written(1, 2, 9, 4, 5, 6, 7), SAID, min_words=2) == [(0.3, 1.55, 0, 2), (2.7, 5.2, 4, 7)]
    assert times(written(9, 9, 9), SAID) == [] and times(written(1), heard()) == []


def test_long_ones_are_divided_and_marks_stay_with_their_words() -> None:
    text = written(1, 2, 3, 4, 5, 6, 7)
    assert times(text, SAID, max_length=2.5) == [(0.3, 2.7, 0, 4), (2.7, 5.2, 4, 7)]
    assert times(text, SAID, max_length=2.5, padding=0.0) == [(0.5, 2.5, 0, 4), (2.9, 5.0, 4, 7)]
    assert times(text, SAID, max_pause=0.3) == [(0.3, 2.7, 0, 4), (2.7, 5.2, 4, 7)]
    marked = [Spoken("a-b", (1, 2)), Spoken("-", ()), Spoken("c", (3,)), Spoken("d-e", (4, 5)), *text[5:]]
    assert times(marked, SAID, max_length=1.5) == [(0.3, 1.55, 0, 1), (1.55, 3.55, 2, 4), (3.55, 5.2, 4, 6)]
    assert times(marked, SAID) == [(0.3, 5.2, 0, 6)]


def test_values_that_make_no_sense() -> None:
    for options in ({"min_words": 0}, {"padding": -1.0}, {"min_pause": 2.0}, {"max_length": 0.0}):
        with pytest.raises(KaldiError, match="must be positive"):
            SegmentationOptions(**options).check()

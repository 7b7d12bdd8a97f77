"""Counts of labels, as analyze-counts prints and refuses them."""

from __future__ import annotations

import numpy as np
import pytest

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.hmm.label_counts import Confusions, LabelCounts

# What Kaldi's program printed for the labels below.
PRINTED = """Printing...
### The sorted count table,
count\t(norm),\tid\t(symbol):
0\t(0),\t0\t()
1\t(0.166667),\t1\t(A)
1\t(0.166667),\t2\t()
4\t(0.666667),\t3\t(C)

#total 6 (1.66667e-05h)
"""


def test_the_table_is_kaldis() -> None:
    counts = LabelCounts()
    counts.add(np.array([1, 3, 3], np.int32))
    counts.add(np.array([3, 2, 3], np.int32))
    assert counts.table({1: "A", 3: "C"}) == PRINTED
    assert counts.unseen() == [0]


def test_negative_labels_are_refused() -> None:
    negative = np.array([2, -1], np.int32)
    with pytest.raises(KaldiError, match="the label -1 is negative"):
        LabelCounts().add(negative)
    with pytest.raises(KaldiError, match="a label is negative"):
        Confusions().add(negative, negative)
    with pytest.raises(KaldiError, match="3 weights for 2 frames"):
        LabelCounts().add(np.array([0, 1]), 1.0, np.ones(3, np.float32))

"""Grammars of one text."""

from __future__ import annotations

import numpy as np
import pytest

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.lang.text_grammar import DISCOUNT, text_grammar

TEXT = [5, 3, 5, 4, 5, 3, 7]
BACKOFF = 9


@pytest.mark.parametrize("order", [1, 2, 3])
def test_probabilities_and_the_way_of_the_text(order: int) -> None:
    fst = text_grammar(TEXT, order, BACKOFF, others=[2])
    assert np.isfinite(fst.finals).all()
    for state in range(fst.num_states):
        arcs = fst.arcs_of(state)
        assert np.exp(-arcs["weight"].astype(np.float64)).sum() == pytest.approx(1.0)
        assert (np.diff(arcs["ilabel"]) > 0).all()
    cost, state = 0.0, fst.start
    for word in TEXT:
        while word not in fst.arcs_of(state)["ilabel"]:
            (arc,) = fst.arcs_of(state)[fst.arcs_of(state)["ilabel"] == BACKOFF]
            cost, state = cost + float(arc["weight"]), int(arc["nextstate"])
        (arc,) = fst.arcs_of(state)[fst.arcs_of(state)["ilabel"] == word]
        assert arc["olabel"] == word
        cost, state = cost + float(arc["weight"]), int(arc["nextstate"])
    counts = {5: 3, 3: 2, 4: 1, 7: 1}  # and the other word as one: 8
    one = [counts[word] / 8 for word in TEXT]
    two = [one[0], *(DISCOUNT * p for p in (2 / 3, 1 / 2, 1 / 3, 1, 2 / 3, 1 / 2))]
    three = [one[0], two[1], *(DISCOUNT * p for p in (1 / 2, 1, 1, 1, 1 / 2))]
    assert cost == pytest.approx(-np.log({1: one, 2: two, 3: three}[order]).sum(), rel=1e-5)


def test_no_text() -> None:
    with pytest.raises(KaldiError, match="needs words"):
        text_grammar([])

"""What graphs are composed of and made smaller with: Kaldi's src/fstext, in C++ on arrays.

    encoded_minimized(star_determinized(composed(lexicon, grammar)))

The results have the states and arcs of Kaldi's programs in the same order.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Any

import numpy as np

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.extension import _csrc
from kaldi_bridge.fsts.fst import Fst, is_sorted
from kaldi_bridge.fsts.fst_bodies import ARC

DELTA = 1.0 / 1024.0
"""OpenFst's kDelta."""


def composed(first: Fst, second: Fst) -> Fst:
    """``first``, then ``second`` (fsttablecompose), without states on no path from the start to an end.

    ``first`` has each state's arcs in the order of output labels, else KaldiError is raised.
    """
    if not is_sorted(first, "olabel"):
        raise KaldiError("the first FST is not sorted by output labels: sort it with fstarcsort")
    made = _made(
        lambda: _csrc.compose(_parts(_standard(first)), _parts(_standard(second)), is_sorted(second, "ilabel"))
    )
    old = first.header or second.header
    if old:
        made.header = replace(
            old.of_changed(),
            isymbols=first.header.isymbols if first.header else b"",
            osymbols=second.header.osymbols if second.header else b"",
        )
    return made


def context_composed(
    fst: Fst, disambig: Collection[int], width: int, central: int, end_symbol: int = 0
) -> tuple[Fst, list[list[int]]]:
    """Phones in windows of ``width`` phones, of which number ``central`` is said (fstcomposecontext).

    Also what its input labels mean (as in ``window_labels``). ``end_symbol``: larger than all others, where the FST has
    it for each phone that does not come any more; 0: it ends where it ends. Raises KaldiError where ``central`` is not
    in the window.
    """
    if not 0 <= central < width:
        raise KaldiError(f"there is no phone {central} in a window of {width}")
    parts, labels = _csrc.compose_context(_parts(_standard(fst)), list(disambig), width, central, end_symbol)
    made = Fst(parts[0], parts[1], parts[2], parts[3].view(ARC))
    return fst.changed(start=made.start, finals=made.finals, offsets=made.offsets, arcs=made.arcs), labels


def star_determinized(fst: Fst, in_log: bool = True, max_states: int = -1, delta: float = DELTA) -> Fst:
    """Determinized, with epsilons removed (fstdeterminizestar); sorts the arcs of ``fst`` itself by input labels.

    Args:
        in_log: what several paths cost is what their probabilities sum to, else what the best one costs.
        delta: costs that differ by less are the same.

    Raises:
        KaldiError: the FST is not functional, or makes more than ``max_states`` states (-1: any number).
    """
    if not fst.arcs.flags.writeable:
        fst = fst.changed(arcs=fst.arcs.copy())
    return _like(fst, lambda: _csrc.determinize_star(_parts(_standard(fst)), in_log, delta, max_states))


def encoded_minimized(fst: Fst, delta: float = DELTA) -> Fst:
    """Minimized with labels and costs, in steps of ``delta``, as one symbol (fstminimizeencoded)."""
    return _like(fst, lambda: _csrc.minimize_encoded(_parts(_standard(fst)), delta))


def _parts(fst: Fst) -> tuple[int, np.ndarray, np.ndarray, np.ndarray]:
    return fst.start, fst.finals, fst.offsets, fst.arcs


def _standard(fst: Fst) -> Fst:
    if fst.header and fst.header.arc_type != "standard":
        raise KaldiError(f"this is possible with arcs of type standard only, not {fst.header.arc_type}")
    return fst


def _made(make: Callable[[], Any]) -> Fst:
    try:
        start, finals, offsets, arcs = make()
    except RuntimeError as error:
        raise KaldiError(str(error)) from None
    return Fst(start, finals, offsets, arcs.view(ARC))


def _like(fst: Fst, make: Callable[[], Any]) -> Fst:
    """With the symbols of ``fst``."""
    made = _made(make)
    return fst.changed(start=made.start, finals=made.finals, offsets=made.offsets, arcs=made.arcs)

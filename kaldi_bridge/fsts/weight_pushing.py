"""Weight pushing that needs no shortest distances (fstext/push-special.cc; csrc/special_pushing.h)."""

from __future__ import annotations

from kaldi_bridge import log
from kaldi_bridge.extension import _csrc
from kaldi_bridge.fsts.fst import Fst

KDELTA = 1.0 / 1024.0


def push_special(fst: Fst, delta: float = KDELTA) -> Fst:
    """With costs moved along the paths so that the probabilities out of all states have the same sum.

    A final state counts as if an arc led from it to the start. Warns where the logarithms of the sums still differ by
    more than ``delta`` when it gives up: the result is not exact then.
    """
    if fst.start < 0:
        return fst
    pushed = Fst(fst.start, fst.finals.copy(), fst.offsets, fst.arcs.copy())
    if not _csrc.push_special((pushed.start, pushed.finals, pushed.offsets, pushed.arcs), delta):
        log.warning("push-special: finished 200 iterations without converging.  Output will be inaccurate.")
    return pushed

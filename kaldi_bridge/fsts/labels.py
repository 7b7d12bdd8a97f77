"""Labels that stand for no phone or word, on the arcs of an FST: added, taken away, or made costly."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.extension import _csrc
from kaldi_bridge.fsts.fst import Fst
from kaldi_bridge.fsts.fst_bodies import ARC
from kaldi_bridge.io.integer_sets import read_sets
from kaldi_bridge.io.streams import open_output
from kaldi_bridge.io.text import encode


def with_self_loops(fst: Fst, labels: Sequence[tuple[int, int]]) -> Fst:
    """Loops of these (input, output) labels after the arcs of each final state and each with an output label.

    So disambiguation symbols get through what is composed (fstext/fstext-utils-inl.h, AddSelfLoops).
    """
    wanted = fst.finals != np.inf
    wanted[fst.sources[fst.arcs["olabel"] != 0]] = True
    states = np.flatnonzero(wanted)
    loops = np.zeros((len(states), len(labels)), ARC)
    loops["ilabel"], loops["olabel"] = np.array(labels, np.int32).reshape(-1, 2).T[:, None, :]
    loops["nextstate"] = states[:, None]
    offsets = fst.offsets + len(labels) * np.concatenate([[0], np.cumsum(wanted)])
    places = np.repeat(fst.offsets[states + 1], len(labels))
    return fst.changed(offsets=offsets, arcs=np.insert(fst.arcs, places, loops.ravel()))


def without_labels(fst: Fst, labels: Iterable[int], side: str = "ilabel") -> Fst:
    """With epsilon in the place of these labels; ``side``: "ilabel" or "olabel"."""
    arcs = fst.arcs.copy()
    arcs[side][np.isin(arcs[side], list(labels))] = 0
    return fst.changed(arcs=arcs)


def without_arcs(fst: Fst, labels: Iterable[int], side: str = "ilabel") -> Fst:
    """Without the arcs that have these labels, and without states then on no path from the start to an end."""
    keep = ~np.isin(fst.arcs[side], list(labels))
    kept_before = np.concatenate([[0], np.cumsum(keep)])
    return connected(fst.changed(offsets=kept_before[fst.offsets], arcs=fst.arcs[keep]))


def without_loops(fst: Fst) -> Fst:
    """Without arcs that lead from a state to itself and have no labels."""
    arcs = fst.arcs
    keep = (arcs["ilabel"] != 0) | (arcs["olabel"] != 0) | (arcs["nextstate"] != fst.sources)
    kept_before = np.concatenate([[0], np.cumsum(keep)])
    return fst.changed(offsets=kept_before[fst.offsets], arcs=arcs[keep])


def penalized(fst: Fst, labels: Iterable[int], penalty: float, side: str = "ilabel") -> Fst:
    """With the penalty added to the cost of the arcs that have these labels."""
    arcs = fst.arcs.copy()
    arcs["weight"][np.isin(arcs[side], list(labels))] += np.float32(penalty)
    return fst.changed(arcs=arcs)


def connected(fst: Fst) -> Fst:
    """Only states on a path from the start to an end, in their order."""
    if fst.start < 0:
        return fst
    start, finals, offsets, arcs = _csrc.connected(fst.start, fst.finals, fst.offsets, fst.arcs)
    return fst.changed(start=start, finals=finals, offsets=offsets, arcs=arcs.astype(ARC, copy=False))


def relabelled(fst: Fst, ipairs: Mapping[int, int], opairs: Mapping[int, int]) -> Fst:
    """With other numbers for these labels; all other labels stay."""
    arcs = fst.arcs.copy()
    for side, pairs in (("ilabel", ipairs), ("olabel", opairs)):
        old, where = np.unique(arcs[side], return_inverse=True)
        arcs[side] = np.array([pairs.get(label, label) for label in old.tolist()], np.int32)[where]
    return fst.changed(arcs=arcs)


def read_relabelling(rxfilename: str) -> dict[int, int]:
    """Lines of an old label and a new one. Raises KaldiError."""
    pairs = read_sets(rxfilename)
    if any(len(pair) != 2 for pair in pairs):
        raise KaldiError(f"{rxfilename}: expected lines of an old label and a new one")
    return {old: new for old, new in pairs}


def write_relabelling(wxfilename: str, pairs: Iterable[tuple[int, int]]) -> None:
    """Lines of an old label, a tab and a new one."""
    with open_output(wxfilename) as stream:
        stream.write(encode("".join(f"{old}\t{new}\n" for old, new in pairs)))

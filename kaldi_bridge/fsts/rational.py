"""Union, concatenation, closure and other operations on structure alone, which are the same in all semirings.

States and arcs come in OpenFst's order (fst/union.h, concat.h, closure.h, project.h, invert.h, arcsort.h).
"""

from __future__ import annotations

import numpy as np

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.extension import _csrc
from kaldi_bridge.fsts.fst import Fst
from kaldi_bridge.fsts.fst_bodies import ARC
from kaldi_bridge.fsts.properties import INITIAL_ACYCLIC


def arc_sorted(fst: Fst, by: str = "ilabel") -> Fst:
    """Arcs of each state in the order of their input labels, then output labels; with "olabel" the other way round.

    Arcs of the same labels end up where OpenFst puts them.
    """
    if by not in ("ilabel", "olabel"):
        raise KaldiError(f"Unknown or unsupported sort type: {by}")
    return fst.changed(arcs=_csrc.arcs_sorted(fst.offsets, fst.arcs, by == "olabel"))


def projected(fst: Fst, side: str) -> Fst:
    """The acceptor of one side, "input" or "output"; its symbols are that side's."""
    arcs = fst.arcs.copy()
    taken, given = ("ilabel", "olabel") if side == "input" else ("olabel", "ilabel")
    arcs[given] = arcs[taken]
    changed = fst.changed(arcs=arcs)
    if changed.header:
        symbols = changed.header.isymbols if side == "input" else changed.header.osymbols
        changed.header.isymbols = changed.header.osymbols = symbols
    return changed


def inverted(fst: Fst) -> Fst:
    """Input and output change places."""
    arcs = fst.arcs.copy()
    arcs["ilabel"], arcs["olabel"] = fst.arcs["olabel"], fst.arcs["ilabel"]
    changed = fst.changed(arcs=arcs)
    if changed.header:
        changed.header.isymbols, changed.header.osymbols = changed.header.osymbols, changed.header.isymbols
    return changed


def union(first: Fst, *others: Fst) -> Fst:
    """What any accepts, added one after the other: the states of each come after those of the ones before it.

    A new start state leads to both, but where those before are known to have no way back to their start state.
    """
    made = first
    no_way_back = _known_to_leave_its_start(made)
    for fst in others:
        if fst.start < 0:
            continue
        both = _side_by_side(made, fst)
        start = fst.start + made.num_states
        if made.start < 0:
            made, no_way_back = both.changed(start=start), _known_to_leave_its_start(fst)
            continue
        if no_way_back:
            made = _with_arcs(both, [(made.start, 0, 0, 0.0, start)])
        else:
            new = both.num_states
            grown = _with_state(both, np.inf)
            made = _with_arcs(grown, [(new, 0, 0, 0.0, made.start), (new, 0, 0, 0.0, start)]).changed(start=new)
        no_way_back = True
    return made


def _known_to_leave_its_start(fst: Fst) -> bool:
    """Whether its file says so, or the order of its states shows it."""
    if fst.header and fst.header.properties & INITIAL_ACYCLIC:
        return True
    return bool((fst.arcs["nextstate"] > fst.sources).all())


def concatenated(first: Fst, second: Fst) -> Fst:
    """What the first one accepts, then what the second one does."""
    if first.start < 0:
        return first
    both = _side_by_side(first, second)
    ends = np.flatnonzero(first.finals != np.inf)
    finals = both.finals.copy()
    finals[ends] = np.inf
    arcs = [(end, 0, 0, float(first.finals[end]), second.start + first.num_states) for end in ends.tolist()]
    return _with_arcs(both.changed(finals=finals), arcs if second.start >= 0 else [])


def closed(fst: Fst, plus: bool = False) -> Fst:
    """What it accepts, any number of times; with ``plus`` at least once."""
    ends = np.flatnonzero(fst.finals != np.inf).tolist()
    loops = [(end, 0, 0, float(fst.finals[end]), fst.start) for end in ends]
    repeated = _with_arcs(fst, loops)
    if plus:
        return repeated
    new = fst.num_states
    grown = _with_state(repeated, 0.0).changed(start=new)
    return _with_arcs(grown, [(new, 0, 0, 0.0, fst.start)]) if fst.start >= 0 else grown


def _side_by_side(first: Fst, second: Fst) -> Fst:
    arcs = second.arcs.copy()
    arcs["nextstate"] += first.num_states
    return first.changed(
        finals=np.concatenate([first.finals, second.finals]),
        offsets=np.concatenate([first.offsets, first.offsets[-1] + second.offsets[1:]]),
        arcs=np.concatenate([first.arcs, arcs]),
    )


def _with_state(fst: Fst, final: float) -> Fst:
    return fst.changed(finals=np.append(fst.finals, np.float32(final)), offsets=np.append(fst.offsets, fst.offsets[-1]))


def _with_arcs(fst: Fst, added: list[tuple[int, int, int, float, int]]) -> Fst:
    """With these (state, ilabel, olabel, cost, nextstate), each after the other arcs of its state."""
    if not added:
        return fst.changed()
    sources = np.array([arc[0] for arc in added])
    order = np.argsort(sources, kind="stable")
    table = np.array([arc[1:] for arc in added], dtype=ARC)[order]
    offsets = fst.offsets + np.concatenate([[0], np.cumsum(np.bincount(sources, minlength=fst.num_states))])
    return fst.changed(offsets=offsets, arcs=np.insert(fst.arcs, fst.offsets[sources[order] + 1], table))


def is_on_cycle(fst: Fst, state: int) -> bool:
    """Whether a way leads from the state back to it."""
    seen = np.zeros(fst.num_states, bool)
    waiting = [state]
    while waiting:
        for target in fst.arcs_of(waiting.pop())["nextstate"].tolist():
            if target == state:
                return True
            if not seen[target]:
                seen[target] = True
                waiting.append(target)
    return False

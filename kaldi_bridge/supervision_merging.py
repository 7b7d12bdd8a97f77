"""Supervisions one after the other, as one (chain/chain-supervision.cc, MergeSupervision)."""

from __future__ import annotations

from collections import deque
from dataclasses import replace

import numpy as np

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.fst import ARC, Fst
from kaldi_bridge.supervision import Supervision


def merge_supervisions(parts: list[Supervision]) -> Supervision:
    """Raises KaldiError where they differ in weight, length or number of pdfs, or say their alignments' pdfs."""
    first = parts[0]
    if len(parts) == 1:
        return first
    for part in parts:
        if (part.frames_per_sequence, part.label_dim) != (first.frames_per_sequence, first.label_dim):
            raise KaldiError("supervisions of different lengths or numbers of pdfs cannot be merged")
        if (part.fst is None) != (first.fst is None):
            raise KaldiError("flat-start supervisions cannot be merged with others")
    if first.fst is None:
        fsts = [fst for part in parts for fst in part.e2e_fsts]
        return replace(first, num_sequences=len(fsts), e2e_fsts=fsts, alignment_pdfs=[])
    if any(part.weight != first.weight for part in parts):
        raise KaldiError("supervisions of different weights cannot be merged")
    if any(part.alignment_pdfs for part in parts):
        raise KaldiError("supervisions with alignments cannot be merged")
    count = sum(part.num_sequences for part in parts)
    fst = concatenate([part.fst for part in parts if part.fst is not None])
    return replace(parts[-1], num_sequences=count, fst=fst)


def concatenate(fsts: list[Fst]) -> Fst:
    """The acceptors one after the other, without epsilons, states breadth first; arcs in OpenFst's (reversed) order.

    None may have an arc into its start state.
    """
    total = sum(fst.num_states for fst in fsts)
    targets: list[list[int]] = [[]] * total
    rows: list[np.ndarray] = [np.zeros(0, ARC)] * total
    finals = np.full(total, np.inf, np.float32)
    following: np.ndarray | None = None  # the arcs of the next acceptor's start state, states numbered overall
    following_final = np.inf
    base = total
    for fst in reversed(fsts):
        base -= fst.num_states
        arcs = fst.arcs.copy()
        arcs["nextstate"] += base
        offsets = fst.offsets.tolist()
        is_last = following is None
        costs = fst.finals
        for state in range(fst.num_states):
            mine = arcs[offsets[state] : offsets[state + 1]]
            cost = costs[state]
            if np.isfinite(cost):
                if is_last:
                    finals[base + state] = cost
                else:
                    assert following is not None
                    more = following.copy()
                    more["weight"] += cost
                    mine = np.concatenate([mine, more]) if len(mine) else more
                    finals[base + state] = cost + following_final
            mine = mine[::-1]
            rows[base + state] = mine
            targets[base + state] = mine["nextstate"].tolist()
        start = int(fst.start)
        following, following_final = arcs[offsets[start] : offsets[start + 1]], float(finals[base + start])
        if not is_last and np.isfinite(costs[start]):
            raise KaldiError("the supervision of an example accepts nothing at all")
    return _breadth_first(int(fsts[0].start), targets, rows, finals)


def _breadth_first(start: int, targets: list[list[int]], rows: list[np.ndarray], finals: np.ndarray) -> Fst:
    number = {start: 0}
    order = []
    queue = deque([start])
    while queue:
        state = queue.popleft()
        order.append(state)
        for target in targets[state]:
            if target not in number:
                number[target] = len(number)
                queue.append(target)
    arcs = np.concatenate([rows[state] for state in order])
    renumbered = np.zeros(len(targets), np.int32)
    renumbered[list(number)] = list(number.values())
    arcs["nextstate"] = renumbered[arcs["nextstate"]]
    offsets = np.concatenate([[0], np.cumsum([len(targets[state]) for state in order])]).astype(np.int64)
    return Fst(0, finals[order], offsets, arcs)

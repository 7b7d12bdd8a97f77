"""Alignments as sequences of phones (hmm/hmm-utils.cc, SplitToPhones)."""

from __future__ import annotations

import numpy as np

from kaldi_bridge.errors import EntryError
from kaldi_bridge.hmm.transition_model import TransitionModel


def phones_of(model: TransitionModel, alignment: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """``alignment``: transition-ids [frames]. Returns the phones and their numbers of frames, int32 [phones] each.

    A phone ends with its final transition; where self-loops come after the transition that leaves a state (Kaldi's
    reordered graphs), with the last of these. The end of the alignment ends a phone too. Raises KaldiError for what is
    no transition-id of the model.
    """
    phones, lengths, _ = phones_of_parts(model, alignment, np.array([len(alignment)]))
    return phones, lengths


def phones_of_parts(
    model: TransitionModel, alignment: np.ndarray, part_lengths: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The same of parts of an alignment, as if each stood alone; also how many phones each has, int64 [parts].

    ``part_lengths``: frames of each part [parts], which together are all.
    """
    ids = model.checked(alignment)
    loop = model.is_self_loop[ids]
    ends = np.cumsum(part_lengths)
    stops = np.zeros(len(ids), bool)
    stops[ends[part_lengths > 0] - 1] = True
    run_ends = stops.copy()  # where no self-loop follows
    run_ends[:-1] |= ~loop[1:]
    ends_at = np.flatnonzero(model.is_final[ids])
    first_end = np.flatnonzero(run_ends)
    waits = np.repeat(_loops_come_last(model, ids, ends - part_lengths, ends), part_lengths)[ends_at]
    ends_at[waits] = first_end[np.searchsorted(first_end, ends_at[waits])]
    phone = model.id_to_phone[ids]
    stops[ends_at] = True
    stops[:-1] |= phone[1:] != phone[:-1]
    stops_at = np.flatnonzero(stops)
    counts = np.diff(np.searchsorted(stops_at, ends), prepend=0)
    return phone[stops_at].astype(np.int32), np.diff(stops_at, prepend=-1).astype(np.int32), counts


def whole_phones_of(model: TransitionModel, alignment: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """As ``phones_of``; raises EntryError when the alignment is empty or not one of whole phones."""
    ids = model.checked(alignment)
    if not len(ids):
        raise EntryError("the alignment is empty")
    phones, lengths = phones_of(model, ids)
    starts = np.cumsum(lengths) - lengths
    endings = np.add.reduceat(model.is_final[ids].astype(np.int32), starts)
    if (endings != 1).any() or (model.id_to_hmm_state[ids[starts]] != 0).any():
        raise EntryError("the alignment does not consist of whole phones: was it cut off?")
    return phones, lengths


def loops_come_last(model: TransitionModel, alignment: np.ndarray) -> bool:
    """Whether self-loops come after the transition that leaves their state; False where that cannot be told."""
    return bool(_loops_come_last(model, alignment, np.zeros(1, np.int64), np.array([len(alignment)]))[0])


def _loops_come_last(model: TransitionModel, ids: np.ndarray, starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """The same of parts, bool [parts]."""
    state, loop = model.id_to_state[ids], model.is_self_loop[ids]
    tells = (state[:-1] != state[1:]) & (loop[:-1] | loop[1:])
    told = np.append(np.flatnonzero(tells), len(ids))  # at changes of states, next to a self-loop
    first = told[np.searchsorted(told, starts)]
    made = np.zeros(len(starts), bool)
    is_told = first < ends - 1  # both states are the part's
    made[is_told] = loop[first[is_told]]
    others = ~is_told & (starts < ends)
    made[others] = loop[ends[others] - 1] & ~loop[starts[others]]
    return made

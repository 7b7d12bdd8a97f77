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
    ids = model.checked(alignment)
    if not len(ids):
        return np.zeros(0, np.int32), np.zeros(0, np.int32)
    loop = model.is_self_loop[ids]
    ends = model.is_final[ids]
    if loops_come_last(model, ids):
        run_ends = np.append(~loop[1:], True)  # where no self-loop follows
        first_end = np.flatnonzero(run_ends)
        ends_at = first_end[np.searchsorted(first_end, np.flatnonzero(ends))]
    else:
        ends_at = np.flatnonzero(ends)
    changes = np.flatnonzero(np.diff(model.id_to_phone[ids]))
    stops = np.unique(np.concatenate([ends_at, changes, [len(ids) - 1]]))
    return model.id_to_phone[ids[stops]].astype(np.int32), np.diff(stops, prepend=-1).astype(np.int32)


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
    state, loop = model.id_to_state[alignment], model.is_self_loop[alignment]
    changes = np.flatnonzero(state[:-1] != state[1:])
    told = changes[loop[changes] | loop[changes + 1]]
    if len(told):
        return bool(loop[told[0]])
    return bool(loop[-1]) and not bool(loop[0])

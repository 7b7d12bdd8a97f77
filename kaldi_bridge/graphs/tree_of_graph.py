"""The tree of a model, out of a graph that was made with it: for models that come without their tree, as Vosk's do.

In a graph of phones with one phone of context to the left (chain models have no more), which phones can come before a
state is known: on the way to a phone, whose first transition-id tells its pdfs, they are all phones with which the tree
gives it these pdfs. So

    before[s]    phones that may have been the last one where a path comes to state s; 0 for none, at the start
    tree         (left, phone) -> the transition state of each arc that begins ``phone`` out of s, left in before[s]

Pairs of phones that the graph never has get the pdfs that the phone has after most others.
"""

from __future__ import annotations

import numpy as np

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.fsts.fst import Fst
from kaldi_bridge.hmm.transition_model import TransitionModel
from kaldi_bridge.hmm.tree import PDF_CLASS, Constant, ContextDependency, EventMap, Split, Table

LEFT, CENTRAL = 0, 1


def tree_of_graph(fst: Fst, model: TransitionModel) -> ContextDependency:
    """A tree that agrees with the model's own one on all that the graph has.

    Args:
        fst: HCLG.fst, or HCLr.fst; labels beyond the transition-ids are taken for disambiguation symbols.

    Raises:
        KaldiError: phones have more than one state, or pdfs depend on more than the phone to the left.
    """
    if model.id_to_hmm_state[1:].any():
        raise KaldiError("its phones have several states: the tree of such a model cannot be found in a graph")
    lefts = _lefts(fst, model, _phones_before(fst, model))
    children: list[EventMap | None] = [None] * (max(model.phones) + 1)
    phones = model.tuples[:, 0]
    for phone in model.phones:
        states = np.flatnonzero(phones == phone)
        if (lefts[states].sum(axis=0) > 1).any():
            raise KaldiError(
                f"phone {phone} has different pdfs after the same phone: the tree looks further than one phone back"
            )
        children[phone] = _of_phone(model, states, lefts[states])
    return ContextDependency(2, CENTRAL, Table(CENTRAL, tuple(children)))


def _phones_before(fst: Fst, model: TransitionModel) -> np.ndarray:
    """bool [states, phones + 1], as bits: uint8 [states, bytes]."""
    ids = np.where(fst.arcs["ilabel"] > model.num_transition_ids, 0, fst.arcs["ilabel"])
    begun = model.phone_starts.astype(np.int64)[ids]
    bits = np.zeros((fst.num_states, max(model.phones) // 8 + 1), np.uint8)  # the first phone is the highest bit
    bits[fst.start, 0] = 0x80
    phones = begun[begun > 0]
    np.bitwise_or.at(bits, (fst.arcs["nextstate"][begun > 0], phones // 8), (0x80 >> phones % 8).astype(np.uint8))
    silent = np.flatnonzero(begun == 0)
    order = silent[np.argsort(fst.arcs["nextstate"][silent], kind="stable")]
    sources = fst.sources[order]
    targets, first = np.unique(fst.arcs["nextstate"][order], return_index=True)
    while len(targets):
        reached = bits[targets] | np.bitwise_or.reduceat(bits[sources], first, axis=0)
        if (reached == bits[targets]).all():
            break
        bits[targets] = reached
    return bits


def _lefts(fst: Fst, model: TransitionModel, before: np.ndarray) -> np.ndarray:
    """bool [transition states, phones + 1]: the phones after which each transition state begins."""
    found = np.zeros((model.num_transition_states, before.shape[1]), np.uint8)
    ids = np.where(fst.arcs["ilabel"] > model.num_transition_ids, 0, fst.arcs["ilabel"])
    arcs = np.flatnonzero(model.phone_starts[ids] > 0)
    order = arcs[np.argsort(model.id_to_state[ids[arcs]], kind="stable")]
    states, first = np.unique(model.id_to_state[ids[order]], return_index=True)
    if len(states):
        found[states - 1] = np.bitwise_or.reduceat(before[fst.sources[order]], first, axis=0)
    return np.unpackbits(found, axis=1, count=max(model.phones) + 1).astype(bool)


def _of_phone(model: TransitionModel, states: np.ndarray, lefts: np.ndarray) -> EventMap:
    """``lefts``: bool [states, phones + 1]."""
    widest = int(lefts.sum(axis=1).argmax())
    node = _pdfs(model, int(states[widest]))
    for state, left in zip(states.tolist(), lefts, strict=True):
        if left.any() and state != states[widest]:
            node = Split(LEFT, frozenset(np.flatnonzero(left).tolist()), _pdfs(model, state), node)
    return node


def _pdfs(model: TransitionModel, state: int) -> EventMap:
    phone, number, forward, self_loop = model.tuples[state].tolist()
    hmm_state = model.topology.states(phone)[number]
    classes = {hmm_state.forward_pdf_class: forward, hmm_state.self_loop_pdf_class: self_loop}
    if len(classes) == 1:
        return Constant(forward)
    size = max(classes) + 1
    return Table(PDF_CLASS, tuple(Constant(classes[n]) if n in classes else None for n in range(size)))

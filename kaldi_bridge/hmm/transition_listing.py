"""A transition model for people to read (TransitionModel::Print, hmm/transition-model.cc)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.hmm.transition_model import TransitionModel


def lines_of(model: TransitionModel, phones: Mapping[int, str], occupancies: np.ndarray | None = None) -> Iterator[str]:
    """A line for each transition-state, then one for each of its transition-ids.

    ``phones``: their symbols; ``occupancies``: counts of the pdfs [pdfs]. Raises KaldiError where it has another size,
    or a phone no symbol.
    """
    if occupancies is not None and len(occupancies) != model.num_pdfs:
        raise KaldiError(f"{len(occupancies)} counts for a model of {model.num_pdfs} pdfs")
    for state, (phone, hmm_state, forward, self_loop) in enumerate(model.tuples.tolist(), 1):
        if phone not in phones:
            raise KaldiError(f"phone {phone} is not in the symbol table")
        pdfs = f"pdf = {forward}" if model.topology.is_hmm else f"forward-pdf = {forward} self-loop-pdf = {self_loop}"
        yield f"Transition-state {state}: phone = {phones[phone]} hmm-state = {hmm_state} {pdfs}"
        transitions = model.topology.states(phone)[hmm_state].transitions
        for transition_id, (target, _) in zip(model.transition_ids(state), transitions, strict=True):
            probability = float(np.exp(model.log_probs[transition_id]))
            pdf = self_loop if target == hmm_state else forward
            count = "" if occupancies is None else f" count of pdf = {occupancies[pdf]:g}"
            way = "self-loop" if target == hmm_state else f"{hmm_state} -> {target}"
            yield f" Transition-id = {transition_id} p = {probability:g}{count} [{way}]"

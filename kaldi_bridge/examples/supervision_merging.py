"""Supervisions one after the other, as one (chain/chain-supervision.cc, MergeSupervision)."""

from __future__ import annotations

from dataclasses import replace

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.examples.supervision import Supervision
from kaldi_bridge.extension import _csrc
from kaldi_bridge.fsts.fst import Fst


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
    try:
        made = _csrc.concatenate_acceptors([(fst.start, fst.finals, fst.offsets, fst.arcs) for fst in fsts])
    except ValueError as error:
        raise KaldiError(f"the supervision of an example cannot be merged: {error}") from error
    return Fst(0, *made)

"""H: from transition-ids to phones in context, without self-loops (csrc/h_transducer.h)."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.extension import _csrc
from kaldi_bridge.fsts.fst import Fst
from kaldi_bridge.fsts.fst_bodies import ARC
from kaldi_bridge.graphs.nonterminals import FIRST_LABEL, Nonterminals
from kaldi_bridge.hmm.transition_model import TransitionModel
from kaldi_bridge.hmm.tree import ContextDependency


class Hmms:
    """The HMMs of phone windows without self-loops; windows with the same phone and pdfs share one.

    ``scale``: of transition log-probabilities, which have the self-loops divided out. Raises KaldiError where tree and
    model are damaged.
    """

    def __init__(self, tree: ContextDependency, model: TransitionModel, scale: float = 1.0) -> None:
        topology = [
            [
                (
                    state.forward_pdf_class,
                    state.self_loop_pdf_class,
                    [(target, -math.log(probability)) for target, probability in state.transitions],
                )
                for state in states
            ]
            for states in model.topology.entries
        ]
        costs = -(model.log_probs - model.non_self_loop_log_probs[model.id_to_state])
        table = model.tuples, model.first_ids, costs.astype(np.float32)
        try:
            nodes = tree.packed.nodes, tree.packed.values
            self.native = _csrc.Hmms(
                *nodes, tree.width, tree.central, topology, model.topology.phone_entry, *table, scale
            )
        except ValueError as error:
            raise KaldiError(str(error)) from None


def h_transducer(
    labels: Sequence[Sequence[int]], hmms: Hmms, nonterminals: Nonterminals | None = None
) -> tuple[Fst, list[int]]:
    """H, and its input labels that are disambiguation symbols.

    Args:
        labels: what each output label means: nothing (number 0), ``[-d]`` for a disambiguation symbol d, or a phone
            window, as ``openfst.context_composed`` returns them; with ``nonterminals`` also the negative of one, and
            a phone, as ``nonterminals.left_biphone_composed`` does.

    Raises:
        KaldiError: tree, topology and phone windows do not belong together.
    """
    offset, multiple = (-1, 1) if nonterminals is None else (nonterminals.offset, nonterminals.multiple)
    try:
        (start, finals, offsets, arcs), disambig = hmms.native.h_transducer(labels, offset, FIRST_LABEL, multiple)
    except ValueError as error:
        raise KaldiError(str(error)) from None
    return Fst(start, finals, offsets, arcs.view(ARC)), disambig

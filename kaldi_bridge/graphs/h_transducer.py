"""H: from transition-ids to phones in context, without self-loops (hmm/hmm-utils.cc, GetHTransducer)."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.fsts.epsilon_removal import remove_epsilons_local
from kaldi_bridge.fsts.fst import Fst
from kaldi_bridge.graphs.nonterminals import Nonterminals
from kaldi_bridge.hmm.topology import NO_PDF
from kaldi_bridge.hmm.transition_model import TransitionModel
from kaldi_bridge.hmm.tree import PDF_CLASS, ContextDependency, answers

Transitions = list[list[tuple[int, int, float, int]]]
"""(input label, output label, cost, next state) by state."""


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
    arcs: Transitions = [[]]
    disambig: list[int] = []
    entries: dict[int, tuple[int, float, int]] = {}  # first arc of an HMM that is there already
    for label, window in enumerate(labels):
        if not window:
            continue
        if len(window) == 1 and window[0] <= 0:
            disambig.append(hmms.num_transition_ids + 1 + len(disambig))
            hmm = _trivial_acceptor(disambig[-1])
        elif window[0] < 0:
            if nonterminals is None or len(window) != 2:
                raise KaldiError(f"label {label} is for a grammar of several graphs: give --nonterm-phones-offset")
            hmm = _trivial_acceptor(nonterminals.label(-window[0], window[1]))
        else:
            hmm = hmms.of(window)
        if id(hmm) in entries:
            ilabel, cost, target = entries[id(hmm)]
        else:
            ilabel, cost, target = _append(arcs, hmm)
            if window[0] > 0 or (window[0] == 0 and len(window) > 1):  # those of windows live on, and are shared
                entries[id(hmm)] = ilabel, cost, target
        arcs[0].append((ilabel, label, cost, target))
    flat = [(s, *arc) for s, out in enumerate(arcs) for arc in out]
    return Fst.from_arcs(0, {0: 0.0}, flat), disambig


def _append(arcs: Transitions, hmm: Fst) -> tuple[int, float, int]:
    """Adds an HMM's states, its final ones with arcs to state 0; the (input label, cost, next state) that enters it.

    Where nothing else leads on from or back to its start, that state is not needed.
    """
    out = [hmm.arcs_of(s).tolist() for s in range(hmm.num_states)]
    start = hmm.start
    loops = any(target == start for arcs_of in out for *_, target in arcs_of)
    shared = len(out[start]) == 1 and not loops and not math.isfinite(hmm.finals[start])
    number = {}
    for s in range(hmm.num_states):
        if s == start and shared:
            continue
        number[s] = len(arcs)
        arcs.append([])
    for s, new in number.items():
        arcs[new] = [(ilabel, 0, cost, number[target]) for ilabel, _, cost, target in out[s]]
        if math.isfinite(hmm.finals[s]):
            arcs[new].append((0, 0, float(hmm.finals[s]), 0))
    if shared:
        ilabel, _, cost, target = out[start][0]
        return ilabel, cost, number[target]
    return 0, 0.0, number[start]


def _trivial_acceptor(label: int) -> Fst:
    return Fst.from_arcs(0, {1: 0.0}, [(0, label, label, 0.0, 1)])


class Hmms:
    """The HMMs of phone windows without self-loops; windows with the same phone and pdfs share one.

    ``scale``: of transition log-probabilities, which have the self-loops divided out.
    """

    def __init__(self, tree: ContextDependency, model: TransitionModel, scale: float = 1.0) -> None:
        self._tree, self._model, self._scale = tree, model, scale
        self._states = {tuple(row): n for n, row in enumerate(model.tuples.tolist(), 1)}
        self._log_probs = model.log_probs - model.non_self_loop_log_probs[model.id_to_state]
        self._made: dict[tuple[int, ...], Fst] = {}

    @property
    def num_transition_ids(self) -> int:
        return self._model.num_transition_ids

    def of(self, window: Sequence[int]) -> Fst:
        if len(window) != self._tree.width:
            raise KaldiError(f"a window of {len(window)} phones for a tree that has windows of {self._tree.width}")
        phone = window[self._tree.central]
        event = dict(enumerate(window))
        pdfs: list[int] = []
        for pdf_class in range(self._model.topology.num_pdf_classes(phone)):
            found = answers(self._tree.to_pdf, {**event, PDF_CLASS: pdf_class})
            if len(found) != 1:
                raise KaldiError(
                    f"the tree has no pdf for class {pdf_class} of the middle phone in {' '.join(map(str, window))}: "
                    "a lang directory, topology or tree of another model?"
                )
            pdfs += found
        key = (phone, *pdfs)
        if key not in self._made:
            self._made[key] = self._make(phone, pdfs)
        return self._made[key]

    def _make(self, phone: int, pdfs: list[int]) -> Fst:
        model = self._model
        states = model.topology.states(phone)
        arcs = []
        for number, state in enumerate(states):
            emitting = state.forward_pdf_class != NO_PDF
            ids: Sequence[int] = []
            if emitting:
                forward, loop = pdfs[state.forward_pdf_class], pdfs[state.self_loop_pdf_class]
                if (phone, number, forward, loop) not in self._states:
                    raise KaldiError(f"the model has no state {number} of phone {phone} with pdfs {forward}, {loop}")
                ids = model.transition_ids(self._states[phone, number, forward, loop])
            for index, (target, probability) in enumerate(state.transitions):
                if target == number:
                    continue
                if emitting:
                    label, cost = ids[index], -float(self._log_probs[ids[index]])
                else:
                    label, cost = 0, -math.log(probability)
                arcs.append((number, label, label, cost, target))
        fst = remove_epsilons_local(Fst.from_arcs(0, {len(states) - 1: 0.0}, arcs), stochastic_in_log=False)
        fst.arcs["weight"] *= np.float32(self._scale)
        fst.finals[np.isfinite(fst.finals)] *= np.float32(self._scale)
        return fst

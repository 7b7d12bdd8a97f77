"""H: from transition-ids to phones in context, without self-loops (hmm/hmm-utils.cc, GetHTransducer)."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.fsts.epsilon_removal import remove_epsilons_local
from kaldi_bridge.fsts.fst import Fst
from kaldi_bridge.graphs.nonterminals import Nonterminals
from kaldi_bridge.hmm.topology import NO_PDF, HmmState
from kaldi_bridge.hmm.transition_model import TransitionModel
from kaldi_bridge.hmm.tree import ContextDependency, answer

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
            hmm = _single_label(disambig[-1])
        elif window[0] < 0:
            if nonterminals is None or len(window) != 2:
                raise KaldiError(f"label {label} is for a grammar of several graphs: give --nonterm-phones-offset")
            hmm = _single_label(nonterminals.label(-window[0], window[1]))
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


@dataclass(frozen=True, eq=False)
class Hmm:
    """States of an HMM, all arcs with the output label 0; costs of ending, infinite where it cannot end."""

    start: int
    arcs: Transitions
    finals: list[float]

    @classmethod
    def of_fst(cls, fst: Fst) -> Hmm:
        arcs: Transitions = [
            [(ilabel, 0, cost, target) for ilabel, _, cost, target in fst.arcs_of(s).tolist()]
            for s in range(fst.num_states)
        ]
        return cls(fst.start, arcs, fst.finals.tolist())


def _append(arcs: Transitions, hmm: Hmm) -> tuple[int, float, int]:
    """Adds an HMM's states, its final ones with arcs to state 0; the (input label, cost, next state) that enters it.

    Where nothing else leads on from or back to its start, that state is not needed.
    """
    out, start = hmm.arcs, hmm.start
    loops = any(target == start for arcs_of in out for *_, target in arcs_of)
    shared = len(out[start]) == 1 and not loops and not math.isfinite(hmm.finals[start])
    number = {}
    for s in range(len(out)):
        if s == start and shared:
            continue
        number[s] = len(arcs)
        arcs.append([])
    for s, new in number.items():
        arcs[new] = [(ilabel, 0, cost, number[target]) for ilabel, _, cost, target in out[s]]
        if math.isfinite(hmm.finals[s]):
            arcs[new].append((0, 0, hmm.finals[s], 0))
    if shared:
        ilabel, _, cost, target = out[start][0]
        return ilabel, cost, number[target]
    return 0, 0.0, number[start]


def _single_label(label: int) -> Hmm:
    return Hmm(0, [[(label, 0, 0.0, 1)], []], [math.inf, 0.0])


class Hmms:
    """The HMMs of phone windows without self-loops; windows with the same phone and pdfs share one.

    ``scale``: of transition log-probabilities, which have the self-loops divided out.
    """

    def __init__(self, tree: ContextDependency, model: TransitionModel, scale: float = 1.0) -> None:
        self._tree, self._model, self._scale = tree, model, scale
        self._states = {tuple(row): n for n, row in enumerate(model.tuples.tolist(), 1)}
        self._log_probs = model.log_probs - model.non_self_loop_log_probs[model.id_to_state]
        costs = -self._log_probs.astype(np.float32)
        self._costs: list[float] = costs.tolist()
        self._scaled_costs: list[float] = (costs * np.float32(scale)).tolist()
        self._made: dict[tuple[int, ...], Hmm] = {}
        self._pdf_classes = functools.cache(model.topology.num_pdf_classes)
        self._simple = functools.cache(lambda phone: _all_emit_and_lead_on(model.topology.states(phone)))

    @property
    def num_transition_ids(self) -> int:
        return self._model.num_transition_ids

    def of(self, window: Sequence[int]) -> Hmm:
        if len(window) != self._tree.width:
            raise KaldiError(f"a window of {len(window)} phones for a tree that has windows of {self._tree.width}")
        phone = window[self._tree.central]
        pdfs: list[int] = []
        for pdf_class in range(self._pdf_classes(phone)):
            pdf = answer(self._tree.to_pdf, window, pdf_class)
            if pdf is None:
                raise KaldiError(
                    f"the tree has no pdf for class {pdf_class} of the middle phone in {' '.join(map(str, window))}: "
                    "a lang directory, topology or tree of another model?"
                )
            pdfs.append(pdf)
        key = (phone, *pdfs)
        if key not in self._made:
            self._made[key] = self._make(phone, pdfs)
        return self._made[key]

    def _make(self, phone: int, pdfs: list[int]) -> Hmm:
        model = self._model
        states = model.topology.states(phone)
        arcs: Transitions = [[] for _ in states]
        for number, state in enumerate(states):
            ids: Sequence[int] = []
            if state.forward_pdf_class != NO_PDF:
                forward, loop = pdfs[state.forward_pdf_class], pdfs[state.self_loop_pdf_class]
                if (phone, number, forward, loop) not in self._states:
                    raise KaldiError(f"the model has no state {number} of phone {phone} with pdfs {forward}, {loop}")
                ids = model.transition_ids(self._states[phone, number, forward, loop])
            for index, (target, probability) in enumerate(state.transitions):
                if target != number:
                    label = ids[index] if ids else 0
                    arcs[number].append((label, 0, self._costs[label] if label else -math.log(probability), target))
        if self._simple(phone):
            scaled = [[(label, 0, self._scaled_costs[label], target) for label, _, _, target in out] for out in arcs]
            return Hmm(0, scaled, [math.inf] * (len(states) - 1) + [0.0])
        flat = [(s, label, label, cost, target) for s, out in enumerate(arcs) for label, _, cost, target in out]
        fst = remove_epsilons_local(Fst.from_arcs(0, {len(states) - 1: 0.0}, flat), stochastic_in_log=False)
        fst.arcs["weight"] *= np.float32(self._scale)
        fst.finals[np.isfinite(fst.finals)] *= np.float32(self._scale)
        return Hmm.of_fst(fst)


def _all_emit_and_lead_on(states: Sequence[HmmState]) -> bool:
    """Whether no epsilon can be removed, and all states are on paths that only go forward."""
    onward = [[target for target, _ in state.transitions if target != s] for s, state in enumerate(states)]
    forward = [(s, target) for s, targets in enumerate(onward) for target in targets if target > s]
    covered = {s for s, _ in forward} == set(range(len(states) - 1)) and {t for _, t in forward} == set(
        range(1, len(states))
    )
    return covered and all(
        state.forward_pdf_class != NO_PDF for state, targets in zip(states, onward, strict=True) if targets
    )

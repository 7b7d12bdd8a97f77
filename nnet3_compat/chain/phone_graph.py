"""A graph over phones as a graph over transition-ids: contexts, HMMs and self-loops (fstext/context-fst.h,
hmm/hmm-utils.cc), with the self-loops after the other transitions of their states ("reordered"), as chain models need.

Made directly, in one go, and without epsilons where no phone after the central one counts.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.fsts.acceptors import INFINITY, Acceptor, Arc
from kaldi_bridge.hmm.topology import NO_PDF
from kaldi_bridge.hmm.transition_model import TransitionModel
from kaldi_bridge.hmm.tree import PDF_CLASS, ContextDependency, answers

NO_PHONE = 0  # in a window, before the first phone or after the last


@dataclass(frozen=True)
class _Place:
    """Where a path is: a state of the phone graph (-1: beyond its end), the phones of the window so far, and, within
    a phone, that phone's window and HMM state; last, the transition state whose self-loop may be taken (0: none)."""

    state: int
    seen: tuple[int, ...]
    window: tuple[int, ...] | None
    hmm_state: int
    loop: int


class PhoneGraph:
    """Expands graphs over phones.

    Args:
        transition_scale, self_loop_scale: of the log-probabilities of transitions; 1 or 0.
    """

    def __init__(
        self,
        tree: ContextDependency,
        model: TransitionModel,
        transition_scale: float = 1.0,
        self_loop_scale: float = 1.0,
    ) -> None:
        self._tree, self._model = tree, model
        self._transition_scale, self._self_loop_scale = transition_scale, self_loop_scale
        self._numbers = {tuple(t): n for n, t in enumerate(model.tuples.tolist(), 1)}
        self._found: dict[tuple[tuple[int, ...], int], int] = {}

    def expand(self, phones: Acceptor) -> Acceptor:
        """An acceptor of transition-ids; costs of phones are those of their first transitions.

        Raises KaldiError for phones that the model does not have, or contexts that the tree has no pdf for.
        """
        start = _Place(phones.start, (NO_PHONE,) * (self._tree.width - 1), None, 0, 0)
        numbers = {start: 0}
        arcs: list[list[Arc]] = []
        finals: list[float] = []
        waiting = deque([start])
        while waiting:
            place = waiting.popleft()
            made: list[Arc] = []
            for label, cost, target in self._out(phones, place):
                if target not in numbers:
                    numbers[target] = len(numbers)
                    waiting.append(target)
                made.append((label, cost, numbers[target]))
            arcs.append(made)
            finals.append(self._final(phones, place))
        return Acceptor(0, arcs, finals)

    def _final(self, phones: Acceptor, place: _Place) -> float:
        if place.window is not None or any(place.seen[self._tree.central :]):
            return INFINITY
        cost = 0.0 if place.state < 0 else phones.finals[place.state]
        return cost + self._leaving(place.loop)

    def _out(self, phones: Acceptor, place: _Place) -> list[tuple[int, float, _Place]]:
        made = []
        if place.loop and (tid := self._model.self_loop_of(place.loop)):
            made.append((tid, -self._self_loop_scale * float(self._model.log_probs[tid]), place))
        leaving = self._leaving(place.loop)
        if place.window is not None:
            steps = self._transitions(place.window, place.hmm_state, place.state, place.seen)
            return made + [(tid, cost + leaving, target) for tid, cost, target in steps]
        # The next phone, or where later phones count, the end, after which no more come.
        ends = self._tree.central < self._tree.width - 1
        following = [] if place.state < 0 else phones.arcs[place.state]
        if ends and place.state < 0 and any(place.seen[self._tree.central :]):
            following = [(NO_PHONE, 0.0, -1)]
        elif ends and place.state >= 0 and phones.finals[place.state] < INFINITY:
            following = [*following, (NO_PHONE, phones.finals[place.state], -1)]
        for phone, cost, state in following:
            window = (*place.seen, phone)
            if window[self._tree.central] == NO_PHONE:  # nothing is said yet
                if phone != NO_PHONE:
                    made.append((0, cost + leaving, _Place(state, window[1:], None, 0, 0)))
                continue
            for tid, step, target in self._transitions(window, 0, state, window[1:]):
                made.append((tid, cost + step + leaving, target))
        return made

    def _transitions(
        self, window: tuple[int, ...], hmm_state: int, state: int, seen: tuple[int, ...]
    ) -> list[tuple[int, float, _Place]]:
        """The ways on within the HMM of a window's central phone, self-loops excepted."""
        phone = window[self._tree.central]
        entry = self._model.topology.states(phone)
        number = self._transition_state(window, hmm_state)
        without_loop = self._without_loop(number)
        made = []
        for tid, (target, _) in zip(self._model.transition_ids(number), entry[hmm_state].transitions, strict=True):
            if target == hmm_state:
                continue
            cost = -self._transition_scale * (float(self._model.log_probs[tid]) - without_loop)
            ended = target + 1 == len(entry)
            place = _Place(state, seen, None if ended else window, 0 if ended else target, number)
            made.append((tid, cost, place))
        return made

    def _transition_state(self, window: tuple[int, ...], hmm_state: int) -> int:
        key = (window, hmm_state)
        if key not in self._found:
            phone = window[self._tree.central]
            description = self._model.topology.states(phone)[hmm_state]
            if description.forward_pdf_class == NO_PDF:
                raise KaldiError(f"phone {phone}: a state without pdf that is not the last cannot be expanded")
            event = dict(enumerate(window))
            pdfs = []
            for pdf_class in (description.forward_pdf_class, description.self_loop_pdf_class):
                found = answers(self._tree.to_pdf, {**event, PDF_CLASS: pdf_class})
                if len(found) != 1:
                    raise KaldiError(f"the tree has no pdf for the phones {window}: made for other phones?")
                pdfs.append(found.pop())
            state = self._numbers.get((phone, hmm_state, pdfs[0], pdfs[1]))
            if state is None:
                raise KaldiError(f"the transition model has no state for the phones {window}: not that of the tree?")
            self._found[key] = state
        return self._found[key]

    def _without_loop(self, number: int) -> float:
        """The log-probability of not taking the self-loop."""
        loop = self._model.self_loop_of(number)
        if not loop:
            return 0.0
        return math.log1p(-math.exp(float(self._model.log_probs[loop])))

    def _leaving(self, loop: int) -> float:
        """The cost of going on from a place whose self-loop may be taken."""
        return -self._self_loop_scale * self._without_loop(loop) if loop else 0.0

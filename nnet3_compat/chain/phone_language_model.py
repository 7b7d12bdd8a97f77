"""A phone language model without back-off arcs, for the denominator of LF-MMI (chain/language-model.{h,cc}).

Every history of at most ``ngram_order`` - 1 phones that occurs is a state with the counts of what follows it. States of
longer histories than ``no_prune_ngram_order`` - 1 may be dropped: their counts go to the state of the history without
its first phone, and so do the arcs that led to them. Those are dropped first that cost the least likelihood, until
``num_extra_lm_states`` more than the basic ones are left. Nothing is smoothed, so that the graph stays small.
"""

from __future__ import annotations

import heapq
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.fsts.fst import Fst

_PHASES = 4  # between which all costs are computed anew
BOUNDARY = 0  # the beginning of a sentence in a history, its end among the counts


@dataclass
class _State:
    history: tuple[int, ...]
    backoff: int = -1
    counts: Counter[int] = field(default_factory=Counter)
    total: int = 0
    total_with_longer: int = 0

    def add(self, counts: Counter[int]) -> None:
        self.counts.update(counts)
        self.total += sum(counts.values())


def _log_likelihood(counts: Iterable[int]) -> np.float32:
    counts = list(counts)
    total = sum(counts)
    return np.float32(sum(count * math.log(count / total) for count in counts))


class PhoneLanguageModel:
    """Counts sentences, then makes the model."""

    def __init__(self, ngram_order: int = 4, no_prune_ngram_order: int = 3, num_extra_lm_states: int = 1000) -> None:
        """Raises KaldiError for orders that make no sense."""
        if not 1 <= no_prune_ngram_order <= ngram_order or ngram_order < 2:
            raise KaldiError("the n-gram order must be at least 2, and at least the order that is not pruned")
        self._order, self._kept_order, self._extra = ngram_order, no_prune_ngram_order, num_extra_lm_states
        self._states: list[_State] = []
        self._index: dict[tuple[int, ...], int] = {}

    def add(self, sentence: Sequence[int]) -> None:
        """Counts the phones (not 0) of an utterance."""
        history: tuple[int, ...] = (BOUNDARY,)
        for phone in sentence:
            if phone <= 0:
                raise KaldiError(f"a phone sequence contains {phone}; phones are positive")
            self._count(history, int(phone))
            history = (*history, int(phone))[-(self._order - 1) :]
        self._count(history, BOUNDARY)

    def _count(self, history: tuple[int, ...], phone: int) -> None:
        state = self._states[self._find_or_make(history)]
        state.counts[phone] += 1
        state.total += 1

    def _find_or_make(self, history: tuple[int, ...]) -> int:
        number = self._index.get(history)
        if number is None:
            number = self._index[history] = len(self._states)
            self._states.append(_State(history))
            if len(history) >= self._kept_order:
                self._states[number].backoff = self._find_or_make(history[1:])
        return number

    def estimate(self) -> Fst:
        """The model as an acceptor of phones. Raises KaldiError when nothing was counted."""
        if not self._states:
            raise KaldiError("no phone sequences to make a language model of")
        for state in self._states:
            number = self._index[state.history]
            while number != -1:
                self._states[number].total_with_longer += state.total
                number = self._states[number].backoff
        self._prune()
        return self._acceptor()

    def _prune(self) -> None:
        active = before = sum(state.total > 0 for state in self._states)
        basic = sum(len(state.history) == self._kept_order - 1 for state in self._states)
        target = basic + self._extra
        for phase in range(1, _PHASES + 1):
            # As division in C: towards zero.
            goal = before + int((target - before) * phase / _PHASES)
            queue = [(-self._change(i), -i) for i in range(len(self._states)) if self._may_drop(i)]
            heapq.heapify(queue)
            waiting = {-i for _, i in queue}
            while active > goal and queue:
                cost, minus = heapq.heappop(queue)
                number = -minus
                change = self._change(number)
                if abs(-cost - change) > 0.001 * (abs(cost) + abs(change)):
                    heapq.heappush(queue, (-change, minus))
                    continue
                state = self._states[number]
                longer = self._states[state.backoff]
                active -= longer.total > 0
                longer.add(state.counts)
                state.counts, state.total, state.total_with_longer = Counter(), 0, 0
                if state.backoff not in waiting and self._may_drop(state.backoff):
                    waiting.add(state.backoff)
                    heapq.heappush(queue, (-self._change(state.backoff), -state.backoff))
        log.info(
            f"In LM [hard] backoff, target num states was {basic} + --num-extra-lm-states={self._extra} = {target}, "
            f"pruned from {before} to {active}"
        )

    def _may_drop(self, number: int) -> bool:
        """Whether all that leads here could lead to the shorter history instead."""
        state = self._states[number]
        if len(state.history) < self._kept_order or state.total != state.total_with_longer or state.total == 0:
            return False
        if len(state.history) == self._order - 1:
            return True
        following = (self._index.get((*state.history, phone)) for phone in state.counts if phone != BOUNDARY)
        return not any(n is not None and self._states[n].total_with_longer for n in following)

    def _change(self, number: int) -> np.float32:
        """Of the log-likelihood when the state is dropped; at most 0."""
        state = self._states[number]
        shorter = self._states[state.backoff]
        if shorter.total == 0:
            return np.float32(-1.0e-15 * state.total)
        together = _log_likelihood((shorter.counts + state.counts).values())
        apart = _log_likelihood(state.counts.values()), _log_likelihood(shorter.counts.values())
        return min(together - apart[0] - apart[1], np.float32(0.0))

    def _active(self, history: tuple[int, ...]) -> int:
        """The state of the longest end of a history that is left."""
        while True:
            number = self._index.get(history, -1)
            if number != -1 and self._states[number].total:
                return number
            if not history:
                raise KaldiError("no state of the language model is left for a history: counts that do not fit")
            history = history[1:]

    def _acceptor(self) -> Fst:
        active = [i for i, state in enumerate(self._states) if state.total]
        number = {i: n for n, i in enumerate(active)}
        arcs: list[tuple[int, int, int, float, int]] = []
        finals: dict[int, float] = {}
        phones, log_prob = 0, 0.0
        for i in active:
            state = self._states[i]
            for phone, count in sorted(state.counts.items()):
                cost = -math.log(count / state.total)
                phones, log_prob = phones + count, log_prob - count * cost
                if phone == BOUNDARY:
                    finals[number[i]] = cost
                else:
                    arcs.append((number[i], phone, phone, cost, number[self._active((*state.history, phone))]))
        log.info(f"Total number of phone instances seen was {phones}")
        log.info(f"Perplexity on training data is: {math.exp(-log_prob / phones):g}")
        log.info(f"Created phone language model with {len(active)} states and {len(arcs)} arcs.")
        return Fst.from_arcs(number[self._active((BOUNDARY,))], finals, arcs)

"""Searches in threads, each asking for a history after the other: what all of them wait for is computed in one go."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from torch import Tensor

from nnet3_compat.rnnlm.histories import Histories

T = TypeVar("T")
R = TypeVar("R")


@dataclass
class _Request:
    histories: Histories
    parents: np.ndarray
    words: np.ndarray
    answer: Tensor | Exception | None = None


class Together:
    """Searches that share a model.

    A search waits until all others that have begun wait too, or have ended: batches are as large as there are searches.
    """

    def __init__(self, model: Histories) -> None:
        self._model = model
        self._changed = threading.Condition()
        self._own = threading.local()
        self._searches = 0
        self._waiting: list[_Request] = []

    def within_search(self, function: Callable[[T], R]) -> Callable[[T], R]:
        """The same function, of which each call is a search."""

        def search(argument: T) -> R:
            with self._search():
                return function(argument)

        return search

    @contextmanager
    def _search(self) -> Iterator[None]:
        self._own.made = []
        with self._changed:
            self._searches += 1
        try:
            yield
        finally:
            with self._changed:
                for histories in self._own.made:
                    histories.clear()
                self._searches -= 1
                self._compute_if_all_wait()

    def empty(self) -> Histories:
        """For the search that calls it: they are forgotten when it ends."""
        made = self._model.beside()
        self._own.made.append(made)
        return made

    def extend(self, histories: Histories, parents: np.ndarray, words: np.ndarray) -> Tensor:
        """See Histories. Raises what is raised there."""
        request = _Request(histories, parents, words)
        with self._changed:
            self._waiting.append(request)
            self._compute_if_all_wait()
            while request.answer is None:
                self._changed.wait()
        if isinstance(request.answer, Exception):
            raise request.answer
        return request.answer

    def _compute_if_all_wait(self) -> None:
        if not self._waiting or len(self._waiting) < self._searches:
            return
        waiting, self._waiting = self._waiting, []
        answers: Sequence[Tensor | Exception]
        try:
            answers = self._model.extend_together([(each.histories, each.parents, each.words) for each in waiting])
        except Exception as error:
            answers = [error] * len(waiting)
        for each, answer in zip(waiting, answers, strict=True):
            each.answer = answer
        self._changed.notify_all()

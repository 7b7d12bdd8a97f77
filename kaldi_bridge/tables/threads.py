"""Several threads work on the entries of a table; results come in their order (util/kaldi-thread.h, TaskSequencer)."""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from kaldi_bridge.command import option, without_effect
from kaldi_bridge.errors import KaldiError

T = TypeVar("T")
R = TypeVar("R")

SHARE = 2000
"""The size of what a thread is given at a time: to hand something over takes as long as a short entry itself does."""


@dataclass
class ThreadOptions:
    """What the programs have that end in -parallel (TaskSequencerConfig)."""

    num_threads: int = option(1, "Number of threads that work on entries at the same time; 0: the main one")
    num_threads_total: int = without_effect(0, "What waits in memory follows from --num-threads")


def in_order(
    function: Callable[[T], R], entries: Iterable[T], num_threads: int, size: Callable[[T], int] = lambda _: SHARE
) -> Iterator[R]:
    """``function(entry)`` of each entry, in order; with several threads some ahead of what is given out.

    Args:
        function: that spends its time without the interpreter's lock.
        entries: are taken by the thread that asks for results.
        num_threads: 0 or 1: none besides the one that asks.
        size: of an entry, in what takes about as long as a frame of features; small ones go to a thread together.
    Raises:
        What ``entries`` or ``function`` raise, after the results for all entries before.
        KaldiError: a negative number of threads.
    """
    return shares_in_order(lambda share: map(function, share), entries, num_threads, size)


def shares_in_order(
    function: Callable[[Sequence[T]], Iterable[R]],
    entries: Iterable[T],
    num_threads: int,
    size: Callable[[T], int] = lambda _: SHARE,
) -> Iterator[R]:
    """The same of a function that gives a result for each of some entries, and need not take the lock for each."""
    if num_threads < 0:
        raise KaldiError(f"--num-threads={num_threads} must not be negative")
    if num_threads <= 1:
        for entry in entries:
            yield from function([entry])
        return
    waiting: deque[Future[tuple[list[R], Exception | None]]] = deque()
    with pool_of(num_threads) as pool:
        for share, failure in _shares(entries, size):
            waiting.append(pool.submit(_results, function, share, failure))
            while waiting and (len(waiting) > 2 * num_threads or waiting[0].done()):
                yield from _checked(waiting.popleft())
        while waiting:
            yield from _checked(waiting.popleft())


@contextlib.contextmanager
def pool_of(num_threads: int) -> Iterator[ThreadPoolExecutor]:
    """Threads for a generator, which cancels what they have not begun when it ends early.

    It does not wait for them: after an error it may be a thread of its own that collects an abandoned generator, and
    that one can hold a lock that another needs to come to its end.
    """
    pool = ThreadPoolExecutor(num_threads)
    try:
        yield pool
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _shares(entries: Iterable[T], size: Callable[[T], int]) -> Iterator[tuple[list[T], Exception | None]]:
    """Entries that are one thread's; with the last ones the exception that they ended with."""
    share: list[T] = []
    total = 0
    failure = None
    try:
        for entry in entries:
            share.append(entry)
            total += max(1, size(entry))  # of entries without frames a share has an end, too
            if total >= SHARE:
                yield share, None
                share, total = [], 0
    except Exception as error:
        failure = error
    yield share, failure


def _results(
    function: Callable[[Sequence[T]], Iterable[R]], share: list[T], failure: Exception | None
) -> tuple[list[R], Exception | None]:
    """What is done, and an exception of what is not, or the one that is given."""
    done: list[R] = []
    try:
        done.extend(function(share))
    except Exception as error:
        return done, error
    return done, failure


def _checked(future: Future[tuple[list[R], Exception | None]]) -> Iterator[R]:
    done, failure = future.result()
    yield from done
    if failure is not None:
        raise failure

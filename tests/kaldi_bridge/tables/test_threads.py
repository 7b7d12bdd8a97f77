"""Results in the order of their entries, whatever threads do."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Iterator

import pytest

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.tables.threads import SHARE, in_order, shares_in_order


def _slow_first(number: int) -> int:
    time.sleep(0.02 if number % 4 == 0 else 0.0)
    return -number


@pytest.mark.parametrize("num_threads", [0, 1, 3])
@pytest.mark.parametrize("size", [1, SHARE // 3, SHARE])
def test_order(num_threads: int, size: int) -> None:
    assert list(in_order(_slow_first, range(21), num_threads, lambda _: size)) == [-n for n in range(21)]
    assert list(in_order(_slow_first, [], num_threads)) == []


def test_several_at_a_time() -> None:
    """Each waits for the other: this hangs where they do not run at the same time."""
    both = threading.Barrier(2, timeout=20)
    assert list(in_order(lambda n: both.wait() >= 0 and n, range(4), 2)) == [0, 1, 2, 3]


def test_small_ones_together() -> None:
    """Those that fill a share are one thread's, in order."""
    threads = list(in_order(lambda _: threading.get_ident(), range(40), 2, lambda _: SHARE // 10))
    assert all(len(set(threads[at : at + 10])) == 1 for at in range(0, 40, 10))


@pytest.mark.parametrize(("num_threads", "shares"), [(1, [1] * 25), (2, [10, 10, 5])])
def test_functions_of_shares(num_threads: int, shares: list[int]) -> None:
    """One entry at a time without other threads, so that none waits for the next."""
    sizes = shares_in_order(lambda some: [len(some)] * len(some), range(25), num_threads, lambda _: SHARE // 10)
    assert list(sizes) == [size for size in shares for _ in range(size)]


def test_results_come_while_entries_of_no_size_do() -> None:
    read = []
    results = in_order(lambda n: n, (read.append(n) or n for n in itertools.count()), 2, lambda _: 0)
    assert [next(results) for _ in range(3)] == [0, 1, 2]
    assert len(read) < 20 * SHARE
    results.close()


@pytest.mark.parametrize("num_threads", [1, 3])
@pytest.mark.parametrize("size", [1, SHARE])
def test_failures_come_after_what_is_before(num_threads: int, size: int) -> None:
    def fails(number: int) -> int:
        if number == 7:
            raise KaldiError("seven")
        return number

    def ends() -> Iterator[int]:
        yield from range(5)
        raise KaldiError("the table ends too early")

    for entries, message, expected in ((range(20), "seven", 7), (ends(), "too early", 5)):
        done = []
        with pytest.raises(KaldiError, match=message):
            for result in in_order(fails, entries, num_threads, lambda _: size):
                done.append(result)
        assert done == list(range(expected))


def test_what_is_taken_ahead_is_bounded() -> None:
    taken = []

    def entries() -> Iterator[int]:
        for number in range(100):
            taken.append(number)
            yield number

    results = in_order(_slow_first, entries(), 2)
    assert next(results) == 0
    assert len(taken) <= 6
    results.close()
    assert len(taken) <= 6


def test_negative_number() -> None:
    with pytest.raises(KaldiError, match="--num-threads=-1 must not be negative"):
        list(in_order(_slow_first, [1], -1))


def test_a_thread_drops_the_generator() -> None:
    """As after an error in what takes the results: the thread holds a lock that others need, and waits for none."""
    threads = 16  # to wait for them begins with any of them, also with the waiting one itself, which fails at once
    begun, left, lock = threading.Barrier(threads, timeout=20), threading.Event(), threading.Lock()
    waited = threading.Barrier(threads - 1, timeout=20)

    def work(number: int) -> int:
        if number == 1:
            with lock:
                begun.wait()
                left.wait()
                held.clear()
        else:
            begun.wait()
        if number > 1 and lock.acquire(timeout=5):
            lock.release()
            waited.wait()
        return number

    held = [in_order(work, range(threads), threads)]
    first = next(held[0])
    assert first == 0
    left.set()
    waited.wait()

"""Work of many streams: computed together, each with its own outcome, none waiting for all of another's."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from nnet3_compat.serving.engine import Engine, Work
from nnet3_compat.serving.statistics import Statistics

BAD = "cannot be computed"


class FakeComputer:
    """Chunks are any values, whose outputs are twice themselves."""

    def __init__(self) -> None:
        self.batches: list[int] = []
        self.may_go = threading.Event()
        self.may_go.set()

    def compute(self, chunks: list[Any]) -> list[Any]:
        assert self.may_go.wait(20)
        self.batches.append(len(chunks))
        if BAD in chunks:
            raise RuntimeError(BAD)
        return [2 * chunk for chunk in chunks]


@pytest.fixture
def computer() -> FakeComputer:
    return FakeComputer()


@pytest.fixture(params=[1, 3])
def engine(computer: FakeComputer, request: pytest.FixtureRequest) -> Iterator[Engine]:
    made = Engine(computer, request.param, Statistics())  # type: ignore[arg-type]
    yield made
    made.close()


def adding(*steps: list[Any]) -> Work[list[Any]]:
    found: list[Any] = []
    for step in steps:
        found += yield step
    return found


def failing() -> Work[Any]:
    yield [1]
    raise ValueError("of its own")


def test_outcomes_are_each_ones_own(computer: FakeComputer, engine: Engine) -> None:
    async def run() -> list[Any]:
        works = [adding([1], [], [2, 3]), adding([BAD]), failing(), adding(), adding([], [4])]
        return await asyncio.gather(*map(engine.run, works), return_exceptions=True)

    first, bad, failed, nothing, last = asyncio.run(run())
    assert first == [2, 4, 6] and nothing == [] and last == [8]
    assert isinstance(bad, RuntimeError) and isinstance(failed, ValueError)


def test_those_that_wait_are_computed_together(computer: FakeComputer, engine: Engine) -> None:
    async def run() -> list[Any]:
        computer.may_go.clear()
        tasks = [asyncio.create_task(engine.run(adding([n]))) for n in range(40)]
        await asyncio.sleep(0.2)
        computer.may_go.set()
        return await asyncio.gather(*tasks)

    assert asyncio.run(run()) == [[2 * n] for n in range(40)]
    assert sum(computer.batches) == 40
    if len(engine._threads) > 1:  # others bring their chunks while one thread computes
        assert len(computer.batches) <= 4


def test_a_long_piece_of_work_does_not_hold_up_a_short_one(computer: FakeComputer, engine: Engine) -> None:
    steps: list[int] = []

    def endless() -> Work[int]:
        for step in range(150):
            steps.append(step)
            time.sleep(0.001)
            yield [step]
        return len(steps)

    async def run() -> int:
        flood = [asyncio.create_task(engine.run(endless())) for _ in range(3)]
        await asyncio.sleep(0.05)
        before = len(steps)
        await engine.run(adding([1], [2]))
        after = len(steps)
        for task in flood:
            task.cancel()
        return after - before

    assert asyncio.run(run()) < 60  # of 450


def test_an_answer_that_nobody_waits_for(engine: Engine) -> None:
    async def run() -> Any:
        gone = asyncio.create_task(engine.run(adding([1], [2])))
        await asyncio.sleep(0)
        gone.cancel()
        return await engine.run(adding([3]))

    assert asyncio.run(run()) == [6]

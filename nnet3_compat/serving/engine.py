"""Computation for many streams: the network for all of them together, what is a stream's own in threads.

The work of a stream is a generator. It yields chunks that the network shall compute, is sent their outputs, and returns
an answer:

    def work():
        stream.hear(samples, last=False)
        stream.search((yield stream.chunks()))
        return stream.decoder.best_words()

    answer = await engine.run(work())
"""

from __future__ import annotations

import asyncio
from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

from kaldi_bridge import log
from nnet3_compat.serving.statistics import Statistics
from nnet3_compat.utterances.online_computation import Chunk, OnlineComputer

Outputs = list[np.ndarray]
Answer = TypeVar("Answer")
Work = Generator[list[Chunk], Outputs, Answer]
MOST_STREAMS = 64  # that the network computes at a time, which bounds how long one waits for the others


@dataclass
class _Ended(Generic[Answer]):
    answer: Answer


class Engine:
    """Belongs to the event loop in which it is used.

    Args:
        num_threads: that make features and search; both leave the interpreter's lock for most of their time.
    """

    def __init__(self, computer: OnlineComputer, num_threads: int, statistics: Statistics) -> None:
        self._computer, self._statistics = computer, statistics
        self._workers = ThreadPoolExecutor(num_threads, "stream")
        self._network = ThreadPoolExecutor(1, "network")
        self._waiting: list[tuple[list[Chunk], asyncio.Future[Outputs]]] = []
        self._computing: asyncio.Task[None] | None = None

    async def run(self, work: Work[Answer]) -> Answer:
        """Does a piece of work; what it raises comes out here."""
        loop = asyncio.get_running_loop()
        outputs: Outputs | None = None
        while True:
            step = await loop.run_in_executor(self._workers, _resume, work, outputs)
            if isinstance(step, _Ended):
                return step.answer
            outputs = await self._compute(step) if step else []

    async def _compute(self, chunks: list[Chunk]) -> Outputs:
        future: asyncio.Future[Outputs] = asyncio.get_running_loop().create_future()
        self._waiting.append((chunks, future))
        if self._computing is None or self._computing.done():
            self._computing = asyncio.create_task(self._compute_waiting())
        return await future

    async def _compute_waiting(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[:MOST_STREAMS], self._waiting[MOST_STREAMS:]
            self._statistics.batches.observe(len(batch))
            try:
                outputs = await self._in_network([chunk for chunks, _ in batch for chunk in chunks])
            except Exception as error:
                await self._compute_apart(batch, error)
                continue
            begin = 0
            for chunks, future in batch:
                end = begin + len(chunks)
                if not future.done():
                    future.set_result(outputs[begin:end])
                begin = end

    async def _compute_apart(
        self, batch: Sequence[tuple[list[Chunk], asyncio.Future[Outputs]]], error: Exception
    ) -> None:
        """So that the stream that cannot be computed fails alone."""
        log.warning(f"Streams could not be computed together, and are one by one: {error}")
        for chunks, future in batch:
            try:
                outputs = await self._in_network(chunks)
            except Exception as own_error:
                if not future.done():
                    future.set_exception(own_error)
            else:
                if not future.done():
                    future.set_result(outputs)

    async def _in_network(self, chunks: list[Chunk]) -> Outputs:
        return await asyncio.get_running_loop().run_in_executor(self._network, self._computer.compute, chunks)

    def close(self) -> None:
        """Waits for what is being computed."""
        self._workers.shutdown()
        self._network.shutdown()


def _resume(work: Work[Answer], outputs: Outputs | None) -> list[Chunk] | _Ended[Answer]:
    """The chunks that the work asks for next, or its answer."""
    try:
        return next(work) if outputs is None else work.send(outputs)
    except StopIteration as end:
        return _Ended(end.value)

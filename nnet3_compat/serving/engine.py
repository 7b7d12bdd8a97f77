"""Computation for many streams: in threads, the network for all of them together.

The work of a stream is a generator. It yields chunks that the network shall compute, is sent their outputs, and returns
an answer:

    def work():
        stream.hear(samples, last=False)
        stream.search((yield stream.chunks()))
        return stream.decoder.best_words()

    answer = await engine.run(work())

A thread takes a piece of work up to the chunks. If no other thread is computing, it computes those of all streams that
wait, and goes on with one of them; else it leaves them to that thread and takes the next piece of work. So streams come
together when there is much to do, and when there is little none waits for another thread.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Generator, Sequence
from typing import Any, TypeVar

import numpy as np

from kaldi_bridge import log
from nnet3_compat.serving.statistics import Statistics
from nnet3_compat.utterances.online_computation import Chunk, OnlineComputer

Outputs = list[np.ndarray]
Answer = TypeVar("Answer")
Work = Generator[list[Chunk], Outputs, Answer]
MOST_STREAMS = 64  # that the network computes at a time, which bounds how long one waits for the others


class _Job:
    """A piece of work; its answer, or what it raises, goes to a future of an event loop.

    Attributes:
        chunks: what it waits for.
    """

    def __init__(self, work: Work[Any], loop: asyncio.AbstractEventLoop) -> None:
        self._work, self._loop, self.future = work, loop, loop.create_future()
        self.chunks: list[Chunk] = []
        self._outputs: Outputs | None = None  # of these chunks, where they are known
        self._error: Exception | None = None

    def goes_on(self) -> bool:
        """Works until it needs the network; whether it does, or has ended."""
        try:
            if self._error is not None:
                self._work.throw(self._error)
            self.chunks = next(self._work) if self._outputs is None else self._work.send(self._outputs)
            while not self.chunks:
                self.chunks = self._work.send([])
        except StopIteration as end:
            self._tell(end.value, None)
        except Exception as error:
            self._tell(None, error)
        else:
            return True
        return False

    def take(self, outputs: Outputs | None, error: Exception | None = None) -> None:
        """What the network made of the chunks."""
        self._outputs, self._error = outputs, error

    def _tell(self, answer: Any, error: Exception | None) -> None:
        def tell() -> None:
            if self.future.done():  # nobody waits any more
                return
            if error is not None:
                self.future.set_exception(error)
            else:
                self.future.set_result(answer)

        self._loop.call_soon_threadsafe(tell)


class Engine:
    """Works for any number of event loops.

    Args:
        num_threads: all of them leave the interpreter's lock for most of their time.
    """

    def __init__(self, computer: OnlineComputer, num_threads: int, statistics: Statistics) -> None:
        self._computer, self._statistics = computer, statistics
        self._ready: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()  # to go on; None: a thread is to end
        self._lock = threading.Lock()
        self._waiting: list[_Job] = []  # for the network
        self._is_computing = False
        self._threads = [
            threading.Thread(target=self._work, name=f"streams-{n}", daemon=True) for n in range(num_threads)
        ]
        for thread in self._threads:
            thread.start()

    async def run(self, work: Work[Answer]) -> Answer:
        """Does a piece of work; what it raises comes out here."""
        job = _Job(work, asyncio.get_running_loop())
        self._ready.put(job)
        answer: Answer = await job.future
        return answer

    def close(self) -> None:
        """Ends the threads when they have done what they are at."""
        for _ in self._threads:
            self._ready.put(None)
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        while (job := self._ready.get()) is not None:
            while job is not None and job.goes_on():
                job = self._compute(job)

    def _compute(self, job: _Job) -> _Job | None:
        """Has the job's chunks computed; gives a job that the thread is to go on with, if there is one."""
        with self._lock:
            self._waiting.append(job)
            if self._is_computing:
                return None
            self._is_computing = True
        while True:
            with self._lock:
                batch, self._waiting = self._waiting[:MOST_STREAMS], self._waiting[MOST_STREAMS:]
                if not batch:
                    self._is_computing = False
                    return None
            self._compute_batch(batch)
            with self._lock:
                if not self._waiting and self._ready.empty():  # else others come first
                    self._is_computing = False
                    mine = batch.pop()
                else:
                    mine = None
            for other in batch:
                self._ready.put(other)
            if mine is not None:
                return mine

    def _compute_batch(self, batch: Sequence[_Job]) -> None:
        self._statistics.batches.observe(len(batch))
        try:
            outputs = self._computer.compute([chunk for job in batch for chunk in job.chunks])
        except Exception as error:
            self._compute_apart(batch, error)
            return
        begin = 0
        for job in batch:
            end = begin + len(job.chunks)
            job.take(outputs[begin:end])
            begin = end

    def _compute_apart(self, batch: Sequence[_Job], error: Exception) -> None:
        """So that the stream that cannot be computed fails alone."""
        log.warning(f"Streams could not be computed together, and are one by one: {error}")
        for job in batch:
            try:
                job.take(self._computer.compute(job.chunks))
            except Exception as own_error:
                job.take(None, own_error)

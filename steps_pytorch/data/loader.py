"""Batches made by worker processes ahead of the training loop."""

from __future__ import annotations

import hashlib
import itertools
import os
import threading
import time
from collections.abc import Generator, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from kaldi_bridge import log
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.examples.discriminative_merging import merge_discriminative_supervisions
from kaldi_bridge.examples.supervision_merging import merge_supervisions
from kaldi_bridge.io.text import encode
from steps_pytorch.data.batch import Batch
from steps_pytorch.data.dataset import ChunkShape, DataSet, Piece
from steps_pytorch.data.epoch import BatchPlan, EpochPlanner

MOST_BAD = 0.5  # of all chunks; with more, training ends


class ChunkLoader:
    """Iterates over batches: over the rest of an epoch, the next time over the next one.

    What comes is a function of the data sets, the options and the seed: neither the number of workers nor an
    interruption changes it. Bad chunks (an unreadable file, say) are left out with a warning, and counted.

    Args:
        shape: the model's contexts and frame subsampling factor.
        chunk_width, minibatch_size, mixing, batches_per_epoch: see EpochPlanner.
        training: chunks are drawn, shifted and perturbed at random; else each epoch is the same, in order.
        num_workers: processes that make batches; 0: none, made when they are asked for.
            They stay from the first batch on, over the ends of epochs, until ``close()``.
        prefetch: batches that each of them makes ahead.
        rank, world_size: of several processes that train together, each of which gets as many batches.

    Attributes:
        epoch: that is under way, or about to begin.
        position: how many of its batches all processes together have got; it is the same in each of them.
    """

    def __init__(
        self,
        datasets: Sequence[DataSet],
        shape: ChunkShape,
        *,
        chunk_width: str = "140,100,70",
        minibatch_size: str = "64",
        mixing: str = "random",
        batches_per_epoch: int = 0,
        seed: int = 0,
        training: bool = True,
        num_workers: int = 0,
        prefetch: int = 4,
        rank: int = 0,
        world_size: int = 1,
    ) -> None:
        self.datasets, self.shape, self.training = list(datasets), shape, training
        self._planner = EpochPlanner(
            self.datasets,
            chunk_width,
            minibatch_size,
            shape.frame_subsampling_factor,
            seed,
            mixing,
            batches_per_epoch if training else 0,
        )
        self._seed, self._num_workers, self._prefetch = seed, num_workers, prefetch
        self._rank, self._world_size = rank, world_size
        self._data = ""
        self._options = f"{seed} {chunk_width} {minibatch_size} {mixing} {batches_per_epoch} {shape}"
        self.epoch = self.position = 0
        self._plans: dict[int, list[BatchPlan]] = {}  # of the epoch, and of the next one once it is being made
        self._made: Generator[_Made, None, None] | None = None
        self.num_bad = self.num_good = 0

    def __len__(self) -> int:
        """Batches of the epoch, for all processes."""
        return len(self._batches())

    @property
    def epochs(self) -> float:
        """How many are done, fractions included."""
        return self.epoch + min(1.0, self.position / len(self))

    def _batches(self) -> list[BatchPlan]:
        return self._plan(self.epoch)

    def _plan(self, epoch: int) -> list[BatchPlan]:
        number = epoch if self.training else 0  # else every epoch is the same
        if number not in self._plans:
            self._plans[number] = self._planner.plan(number, self.training)
        return self._plans[number]

    def __iter__(self) -> Iterator[Batch]:
        return (batch for batch in self.batches() if batch is not None)

    def batches(self) -> Iterator[Batch | None]:
        """As iterating over it, with None for a batch without any good chunk: processes that train together stay
        together."""
        if self._made is None:
            self._made = self._start()
        for _ in range(_rounds(len(self) - self.position, self._world_size)):
            result = next(self._made)
            self.position += self._world_size
            self._count(result)
            yield result.batch
        if self.training:
            self._plans.pop(self.epoch, None)
        self.epoch, self.position = self.epoch + 1, 0

    def close(self) -> None:
        """Ends the worker processes; iterating once more starts new ones."""
        if self._made is not None:
            self._made.close()
        self._made = None

    def _start(self) -> Generator[_Made, None, None]:
        """Batches from the position on, epoch after epoch without end: the next one begins while this one is used."""
        maker = _BatchMaker(self.datasets, self.shape, self._seed if self.training else None)
        workers: dict[str, Any] = {"num_workers": self._num_workers}
        if self._num_workers:
            workers.update(prefetch_factor=self._prefetch, worker_init_fn=_start_worker)
        own = torch.Generator()  # not that of the whole process, on which dropout depends
        return _reported(DataLoader(maker, batch_size=None, sampler=self._orders(), generator=own, **workers))

    def _orders(self) -> Iterator[_Order]:
        """What this process gets, in the order in which it gets it."""
        position = self.position
        for epoch in itertools.count(self.epoch):
            plan = self._plan(epoch)
            for n in range(_rounds(len(plan) - position, self._world_size)):
                # The last round goes on with the first batches once more, so that there is one for each process.
                number = (position + n * self._world_size + self._rank) % len(plan)
                yield _Order(epoch, number, epoch + number / len(plan), plan[number])
            position = 0

    def _count(self, result: _Made) -> None:
        for problem in result.problems:
            log.warning(f"{problem}; the chunk is left out")
        self.num_bad += len(result.problems)
        self.num_good += result.num_good
        if self.num_bad > max(100, MOST_BAD * (self.num_bad + self.num_good)):
            raise KaldiError(f"{self.num_bad} of {self.num_bad + self.num_good} chunks were bad: see the warnings")

    def state_dict(self) -> dict[str, Any]:
        """The position after the batch that was given out last; any number of processes can go on from it."""
        return {"epoch": self.epoch, "position": self.position, "data": self._fingerprint()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Raises KaldiError when it is the state of another loader: other utterances, options or seed."""
        if state["data"] != self._fingerprint():
            raise KaldiError("the data sets or their options are not those of the run to be resumed: start a new one")
        self.close()
        self._plans.clear()
        self.epoch, self.position = int(state["epoch"]), int(state["position"])

    def _fingerprint(self) -> str:
        """What the batches of all epochs depend on."""
        if not self._data:
            hashed = hashlib.sha256(encode(self._options))
            for dataset in self.datasets:
                hashed.update(encode(f"{dataset.name} {dataset.repeat} {dataset.speeds} {dataset.chunking}\n"))
                hashed.update(encode(f"{dataset.perturbed_share}\n"))
                hashed.update(encode(repr(list(dataset.lengths.items()))))
            self._data = hashed.hexdigest()
        return self._data


def _rounds(batches: int, world_size: int) -> int:
    """How many each process gets; the last round may be one of fewer than there are processes."""
    return -(-batches // world_size)


def _reported(results: Iterable[_Made]) -> Generator[_Made, None, None]:
    """The same; raises KaldiError where a worker process is no more."""
    iterator = iter(results)
    while True:
        try:
            result = next(iterator)
        except StopIteration:
            return
        except RuntimeError as error:
            if "DataLoader worker" not in str(error):
                raise
            raise KaldiError(
                f"a process that makes minibatches died ({error}); if it was for want of memory, take fewer "
                "--num-workers"
            ) from error
        yield result


class _Made:
    """A batch, None where there is no good chunk for it, and what was wrong with bad ones."""

    def __init__(self, batch: Batch | None, problems: list[str]) -> None:
        self.batch, self.problems = batch, problems
        self.num_good = 0 if batch is None else len(batch.chunks)


class _Order(NamedTuple):
    """A batch that is to be made; with its plan, so that processes need not know those of whole epochs.

    ``epochs``: how many are done before it, fractions included.
    """

    epoch: int
    number: int
    epochs: float
    plan: BatchPlan


class _BatchMaker(Dataset[_Made]):
    """Makes batches, in the worker processes. ``seed``: None for nothing at random."""

    def __init__(self, datasets: list[DataSet], shape: ChunkShape, seed: int | None) -> None:
        self._datasets, self._seed = datasets, seed
        self._shapes = [dataset.chunking.shape_for(shape, dataset.name) for dataset in datasets]
        self._skipped = [
            (own.left_context - shape.left_context) // shape.frame_subsampling_factor for own in self._shapes
        ]

    def __getitem__(self, order: _Order) -> _Made:
        plan = order.plan
        dataset, shape = self._datasets[plan.dataset], self._shapes[plan.dataset]
        random = None if self._seed is None else np.random.default_rng((self._seed, order.epoch, order.number))
        pieces: list[Piece] = []
        chunks: list[tuple[str, int]] = []
        counts: list[np.ndarray] = []
        problems: list[str] = []
        for chunk, count in zip(plan.chunks(dataset.utterances), plan.counts, strict=True):
            try:
                pieces.append(dataset.piece(chunk, plan.num_outputs, shape, random, order.epochs))
                chunks.append((chunk.utterance, chunk.first))
                counts.append(count)
            except (KaldiError, OSError) as error:
                problems.append(f"data set {dataset.name}: utterance {chunk.utterance}: {error}")
        if not pieces:
            return _Made(None, problems)
        batch = _batch(dataset, plan.num_outputs, chunks, pieces, np.stack(counts))
        batch.first_output = self._skipped[plan.dataset]
        return _Made(batch, problems)


def _batch(
    dataset: DataSet, num_outputs: int, chunks: list[tuple[str, int]], pieces: list[Piece], counts: np.ndarray
) -> Batch:
    pdfs = [piece.pdfs for piece in pieces if piece.pdfs is not None]
    supervisions = [piece.supervision for piece in pieces if piece.supervision is not None]
    lattices = [piece.lattices for piece in pieces if piece.lattices is not None]
    ivectors = [piece.ivector for piece in pieces if piece.ivector is not None]
    return Batch(
        features=torch.from_numpy(np.stack([piece.features for piece in pieces])),
        num_outputs=num_outputs,
        pdfs=torch.from_numpy(np.stack(pdfs)) if pdfs else None,
        supervision=merge_supervisions(supervisions) if supervisions else None,
        lattices=merge_discriminative_supervisions(lattices) if lattices else None,
        ivectors=torch.from_numpy(np.stack(ivectors)) if ivectors else None,
        dataset=dataset.name,
        chunks=chunks,
        deriv_weights=torch.from_numpy(1.0 / counts.astype(np.float32)) if counts.max() > 1 else None,
        weight=dataset.weight,
    )


def _end_with(parent: int) -> None:
    """Ends this process when its parent is gone; PyTorch's own check is not made while a worker waits for a pipe."""
    while os.getppid() == parent:
        time.sleep(1.0)
    os._exit(1)


def _start_worker(number: int) -> None:
    torch.set_num_threads(1)
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()

"""Batches made by worker processes ahead of the training loop."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from kaldi_bridge import log
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.examples.supervision_merging import merge_supervisions
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
        chunk_width, minibatch_size: see EpochPlanner.
        training: chunks are drawn, shifted and perturbed at random; else each epoch is the same, in order.
        num_workers: processes that make batches; 0: none, made when they are asked for.
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
        seed: int = 0,
        training: bool = True,
        num_workers: int = 0,
        prefetch: int = 4,
        rank: int = 0,
        world_size: int = 1,
    ) -> None:
        self.datasets, self.shape, self.training = list(datasets), shape, training
        self._planner = EpochPlanner(self.datasets, chunk_width, minibatch_size, shape.frame_subsampling_factor, seed)
        self._seed, self._num_workers, self._prefetch = seed, num_workers, prefetch
        self._rank, self._world_size = rank, world_size
        self._data = ""
        self._options = f"{seed} {chunk_width} {minibatch_size} {shape}"
        self.epoch = self.position = 0
        self._plan: list[BatchPlan] | None = None
        self.num_bad = self.num_good = 0

    def __len__(self) -> int:
        """Batches of the epoch, for all processes."""
        return len(self._batches())

    @property
    def epochs(self) -> float:
        """How many are done, fractions included."""
        return self.epoch + min(1.0, self.position / len(self))

    def _batches(self) -> list[BatchPlan]:
        if self._plan is None:
            self._plan = self._planner.plan(self.epoch if self.training else 0, self.training)
        return self._plan

    def __iter__(self) -> Iterator[Batch]:
        return (batch for batch in self.batches() if batch is not None)

    def batches(self) -> Iterator[Batch | None]:
        """As iterating over it, with None for a batch without any good chunk: processes that train together stay
        together."""
        plan = self._batches()
        maker = _BatchMaker(self.datasets, self.shape, plan, self._seed, self.epoch, self.training)
        workers: dict[str, Any] = {"num_workers": self._num_workers}
        if self._num_workers:
            workers.update(prefetch_factor=self._prefetch, worker_init_fn=_start_worker)
        rounds = -(-(len(plan) - self.position) // self._world_size)
        # The last round goes on with the first batches once more, so that there is one for each process.
        mine = [(self.position + n * self._world_size + self._rank) % len(plan) for n in range(rounds)]
        for result in _reported(DataLoader(maker, batch_size=None, sampler=mine, **workers)):
            self.position += self._world_size
            self._count(result)
            yield result.batch
        self.epoch, self.position = self.epoch + 1, 0
        if self.training:  # else every epoch is the same
            self._plan = None

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
        self.epoch, self.position, self._plan = int(state["epoch"]), int(state["position"]), None

    def _fingerprint(self) -> str:
        """What the batches of all epochs depend on."""
        if not self._data:
            hashed = hashlib.sha256(self._options.encode())
            for dataset in self.datasets:
                hashed.update(f"{dataset.name} {dataset.repeat} {dataset.speeds}\n".encode())
                hashed.update(repr(list(dataset.lengths.items())).encode())
            self._data = hashed.hexdigest()
        return self._data


def _reported(results: Iterable[_Made]) -> Iterator[_Made]:
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


class _BatchMaker(Dataset):
    """Batches of an epoch by their numbers, in the worker processes."""

    def __init__(
        self,
        datasets: list[DataSet],
        shape: ChunkShape,
        plan: list[BatchPlan],
        seed: int,
        epoch: int,
        training: bool,
    ) -> None:
        self._datasets, self._shape, self._plan = datasets, shape, plan
        self._seed, self._training = (seed, epoch), training

    def __getitem__(self, number: int) -> _Made:
        plan = self._plan[number]
        dataset = self._datasets[plan.dataset]
        random = np.random.default_rng((*self._seed, number)) if self._training else None
        pieces: list[Piece] = []
        chunks: list[tuple[str, int]] = []
        problems: list[str] = []
        for chunk in plan.chunks(dataset.utterances):
            try:
                pieces.append(dataset.piece(chunk, plan.num_outputs, self._shape, random))
                chunks.append((chunk.utterance, chunk.first))
            except (KaldiError, OSError) as error:
                problems.append(f"data set {dataset.name}: utterance {chunk.utterance}: {error}")
        return _Made(_batch(dataset, plan.num_outputs, chunks, pieces) if pieces else None, problems)


def _batch(dataset: DataSet, num_outputs: int, chunks: list[tuple[str, int]], pieces: list[Piece]) -> Batch:
    pdfs = [piece.pdfs for piece in pieces if piece.pdfs is not None]
    supervisions = [piece.supervision for piece in pieces if piece.supervision is not None]
    ivectors = [piece.ivector for piece in pieces if piece.ivector is not None]
    return Batch(
        features=torch.from_numpy(np.stack([piece.features for piece in pieces])),
        num_outputs=num_outputs,
        pdfs=torch.from_numpy(np.stack(pdfs)) if pdfs else None,
        supervision=merge_supervisions(supervisions) if supervisions else None,
        ivectors=torch.from_numpy(np.stack(ivectors)) if ivectors else None,
        dataset=dataset.name,
        chunks=chunks,
        weight=dataset.weight,
    )


def _start_worker(number: int) -> None:
    torch.set_num_threads(1)

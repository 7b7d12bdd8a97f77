"""The processes that train one model together, each on its share of the data: what torchrun starts."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import Tensor, distributed

from kaldi_bridge.errors import KaldiError


class Group:
    """One process, or those of torchrun (data parallel).

    Derivatives are added up here rather than by DistributedDataParallel: natural gradients are no ``.grad`` of a
    parameter, and an objective may run its model several times, or on inputs alone, before there is one to share.

    Attributes:
        rank, size: which of how many processes this is.
        device: what it computes on.
    """

    def __init__(self, use_gpu: bool = False) -> None:
        """Raises KaldiError where a GPU is wanted and there is none, or the others cannot be reached."""
        self.rank, self.size = int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))
        if use_gpu and not torch.cuda.is_available():
            raise KaldiError("--use-gpu=true, but PyTorch finds no CUDA GPU here")
        self.device = torch.device("cpu")
        if use_gpu:
            self.device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", 0)))
            torch.cuda.set_device(self.device)
        if self.size > 1 and not distributed.is_initialized():
            try:
                distributed.init_process_group("nccl" if use_gpu else "gloo")
            except (RuntimeError, ValueError) as error:
                raise KaldiError(f"process {self.rank} of {self.size} does not reach the others: {error}") from error

    @property
    def is_first(self) -> bool:
        """Whether this is the process that writes files and messages."""
        return self.rank == 0

    def add_up(self, tensors: Sequence[Tensor]) -> None:
        """Each tensor becomes the sum of those of all processes."""
        if self.size == 1 or not tensors:
            return
        flat = torch.cat([tensor.reshape(-1) for tensor in tensors])
        distributed.all_reduce(flat)
        at = 0
        for tensor in tensors:
            tensor.copy_(flat[at : at + tensor.numel()].view_as(tensor))
            at += tensor.numel()

    def average(self, tensors: Sequence[Tensor]) -> None:
        """Each tensor becomes the mean of those of all processes."""
        for kind in dict.fromkeys(tensor.dtype for tensor in tensors):  # a set has another order in each process
            alike = [tensor for tensor in tensors if tensor.dtype == kind]
            self.add_up(alike)
            for tensor in alike:
                tensor.div_(self.size)

    def take_from_first(self, tensors: Iterable[Tensor]) -> None:
        """Each tensor becomes that of the first process."""
        if self.size > 1:
            for tensor in tensors:
                distributed.broadcast(tensor, 0)

    def number_of_first(self, number: int) -> int:
        """That of the first process."""
        held = torch.tensor(number, device=self.device)
        self.take_from_first([held])
        return int(held)

    def totals(self, numbers: Sequence[float]) -> list[float]:
        """Sums over all processes."""
        if self.size == 1:
            return list(numbers)
        shared = torch.tensor(numbers, dtype=torch.float64, device=self.device)
        distributed.all_reduce(shared)
        return shared.tolist()

    def names(self, names: Iterable[str]) -> list[str]:
        """Those that any of the processes has, in the same order for all."""
        mine = list(names)
        if self.size == 1:
            return mine
        everyones: list[Any] = [None] * self.size
        distributed.all_gather_object(everyones, mine)
        return list(dict.fromkeys(name for theirs in everyones for name in theirs))

    def wait(self) -> None:
        """Until all processes have come here."""
        if self.size > 1:
            distributed.barrier()

    def close(self) -> None:
        if self.size > 1 and distributed.is_initialized():
            distributed.destroy_process_group()

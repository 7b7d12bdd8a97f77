"""Tiny networks and batches that tests of training share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from kaldi_bridge.examples.supervision import Supervision
from kaldi_bridge.examples.supervision_merging import merge_supervisions
from kaldi_bridge.fsts.acceptors import Acceptor
from kaldi_bridge.fsts.fst import Fst, write_fst
from steps_pytorch.data.batch import Batch
from steps_pytorch.models.base import Model, ModelOutput

DIM, PDFS, FACTOR = 5, 4, 3

XCONFIG = f"""
input dim={DIM} name=input
relu-batchnorm-layer name=tdnn1 dim=12 input=Append(-1,0,1)
tdnnf-layer name=tdnnf2 dim=12 bottleneck-dim=6 time-stride=3 bypass-scale=0.66 l2-regularize=0.01
output-layer name=output include-log-softmax=false dim={PDFS}
output-layer name=output-xent input=tdnnf2 dim={PDFS} learning-rate-factor=5.0
"""


class Affine(Model):
    """A model as small as can be: an affine map of a frame and its neighbours."""

    left_context = right_context = 1

    def __init__(self, num_pdfs: int = PDFS, xent: bool = False) -> None:
        super().__init__()
        self.feature_dim, self.num_pdfs, self.frame_subsampling_factor = DIM, num_pdfs, FACTOR
        self.output = nn.Linear(3 * DIM, num_pdfs)
        self.xent = nn.Linear(3 * DIM, num_pdfs) if xent else None

    def forward(self, features: Tensor, ivectors: Tensor | None = None) -> ModelOutput:
        x = features.unfold(1, 3, self.frame_subsampling_factor).flatten(2)
        xent = None if self.xent is None or not self.training else self.xent(x).log_softmax(-1)
        return ModelOutput(self.output(x), xent)


def write_xconfig(folder: Path) -> str:
    path = folder / "network.xconfig"
    path.write_text(XCONFIG)
    return str(path)


def write_den_fst(folder: Path) -> str:
    """Any pdf after any other, in one state."""
    path = folder / "den.fst"
    arcs = [[(pdf + 1, float(np.log(PDFS)), 0) for pdf in range(PDFS)]]
    write_fst(str(path), Acceptor(0, arcs, [0.0]).to_fst())
    return str(path)


def path_fst(pdfs: list[int]) -> Fst:
    arcs = [[(pdf + 1, 0.0, i + 1)] for i, pdf in enumerate(pdfs)]
    return Acceptor(0, [*arcs, []], [np.inf] * len(pdfs) + [0.0]).to_fst()


def make_batch(model: Model, seed: int, sequences: int = 4, num_outputs: int = 6) -> Batch:
    """Features that tell their pdf, with its number and the path of it as targets."""
    random = torch.Generator().manual_seed(seed)
    pdfs = torch.randint(PDFS, (sequences, num_outputs), generator=random)
    frames = model.frames_in(num_outputs)
    features = torch.randn(sequences, frames, DIM, generator=random)
    centers = model.left_context + torch.arange(num_outputs) * model.frame_subsampling_factor
    features[:, centers, :PDFS] += 2.0 * nn.functional.one_hot(pdfs, PDFS)
    supervisions = [Supervision(1.0, 1, num_outputs, PDFS, path_fst(row)) for row in pdfs.tolist()]
    chunks = [(f"utt{seed}-{n}", 0) for n in range(sequences)]
    return Batch(features, num_outputs, pdfs, merge_supervisions(supervisions), dataset="made-up", chunks=chunks)


class Stream:
    """A loader of made-up batches: ``length`` per epoch, of ``sequences`` chunks each, different in every epoch."""

    def __init__(self, model: Model, length: int = 6, sequences: int = 4, rank: int = 0, size: int = 1) -> None:
        self._model, self._length, self._sequences, self._rank, self._size = model, length, sequences, rank, size
        self._taken = 0

    @property
    def epochs(self) -> float:
        return self._taken / self._length

    def __next__(self) -> Batch | None:
        number = self._taken + self._rank
        self._taken += self._size
        return make_batch(self._model, number, self._sequences)

    def state_dict(self) -> dict[str, Any]:
        return {"taken": self._taken}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._taken = state["taken"]

    def close(self) -> None:
        pass

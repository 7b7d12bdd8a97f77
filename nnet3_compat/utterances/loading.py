"""From a model file of any kind to something that computes utterances: without torch where that can be."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np

from kaldi_bridge.errors import KaldiError
from nnet3_compat.folded.model import folded_model
from nnet3_compat.folded.precision import expect_float32
from nnet3_compat.machine.gpu_wanted import gpu_wanted
from nnet3_compat.model.am_nnet import AmNnet
from nnet3_compat.model.model_file import Archive, read_any
from nnet3_compat.model.model_file import Model as AnyModel
from nnet3_compat.model.priors import PriorOptions
from nnet3_compat.structure.nnet import Nnet
from nnet3_compat.utterances.computation import Computer, Model

if TYPE_CHECKING:
    from nnet3_compat.utterances.chunking import ChunkRule
    from nnet3_compat.utterances.computation_options import SimpleComputationOptions


def load_model(
    model: AnyModel,
    frame_subsampling_factor: int,
    use_gpu: str,
    precision: str,
    name: str = "model",
    threads: int | None = None,
) -> tuple[Model, np.ndarray | None]:
    """What read_any gave, ready to compute in a precision ("": the model's), and the priors that came with it, if any.

    ``threads``: that it shall keep busy, where it computes without torch; default: ``num_threads()``.

    Raises KaldiError for a model that cannot be computed, or not in that precision.
    """
    priors = model.priors if isinstance(model, AmNnet) else None
    why = "this is no nnet3 network"
    if not isinstance(model, Archive):
        nnet = model.nnet if isinstance(model, AmNnet) else model
        why = "give --use-gpu=no with it"
        if not gpu_wanted(use_gpu):
            folded = folded_model(nnet, frame_subsampling_factor, threads or num_threads(), precision or nnet.precision)
            if folded is not None:
                return folded, priors
            why = "torch computes this one, which has other components"
    expect_float32(precision, name, why)
    from nnet3_compat.machine.device import select_device
    from nnet3_compat.utterances.torch_models import OnArrays, tensor_model

    loaded = tensor_model(model, frame_subsampling_factor, select_device(use_gpu), name)
    return OnArrays(loaded), getattr(loaded, "priors", priors)


def num_threads() -> int:
    """As many as torch would take: OMP_NUM_THREADS, else one for each processor."""
    try:
        return max(1, int(os.environ["OMP_NUM_THREADS"]))
    except (KeyError, ValueError):
        return len(os.sched_getaffinity(0))


def make_computer(
    model: AnyModel,
    options: SimpleComputationOptions,
    use_gpu: str,
    priors: PriorOptions | None,
    name: str = "model",
    rule: ChunkRule | None = None,
    threads: int | None = None,
) -> Computer:
    """A Computer for what model_file.read_any gave; ``priors``: None to leave outputs undivided; ``rule``: how it
    cuts utterances (default: as nnet3-compute); ``threads``: see ``load_model``.

    Raises:
        KaldiError: the model cannot be run, does not fit the options, or has no priors though they are to be used.
    """
    options.check_precision()
    loaded, known = load_model(model, options.frame_subsampling_factor, use_gpu, options.precision, name, threads)
    if priors and isinstance(model, Nnet):
        raise KaldiError(f"{name}: --use-priors=true needs a .mdl; this is a raw network, which has no priors")
    own = known if priors else None
    divisors = priors.log_divisors(own) if priors and own is not None and len(own) else None
    return Computer(loaded, options, divisors, rule)


def load_computer(
    rxfilename: str,
    options: SimpleComputationOptions,
    use_gpu: str,
    priors: PriorOptions | None,
    rule: ChunkRule | None = None,
) -> Computer:
    """A Computer for a model file of any kind (see model_file.py)."""
    return make_computer(read_any(rxfilename), options, use_gpu, priors, rxfilename, rule)

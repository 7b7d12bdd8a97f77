"""From the options of a run to the parts that the training loop takes."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path

import torch

from kaldi_bridge.examples.discriminative_splitting import SplittingOptions
from kaldi_bridge.io.text import real_number
from nnet3_compat.machine.memory import keep_memory
from steps_pytorch.data.data_sets import Data, DataSpec, TargetKind, open_data
from steps_pytorch.data.dataset import ChunkShape
from steps_pytorch.group import Group
from steps_pytorch.models.registry import build_model
from steps_pytorch.objectives.registry import OBJECTIVES, build_objective
from steps_pytorch.registry import Dimensions
from steps_pytorch.training.optimizers.base import OPTIMIZERS, Setting
from steps_pytorch.training.optimizers.layer_factors import factors_of
from steps_pytorch.training.run.averaging import MovingAverage
from steps_pytorch.training.run.input import warn_of_other_input
from steps_pytorch.training.run.loop import Parts, Settings
from steps_pytorch.training.run.options import Run, words
from steps_pytorch.training.run.precision import check_precision
from steps_pytorch.training.run.stream import EpochStream
from steps_pytorch.training.run.warm_start import warm_start
from steps_pytorch.training.schedules.dropout import DropoutSchedule
from steps_pytorch.training.schedules.learning_rate import SCHEDULES, Course


@dataclass
class Assembly:
    """A run, ready to go."""

    run: Run
    data: Data
    shape: ChunkShape
    parts: Parts
    settings: Settings
    group: Group


def assemble(run: Run, group: Group, job: int = 0, num_jobs: int = 1) -> Assembly:
    """``job`` of ``num_jobs``, counted from 0: the jobs share the data, and their models are to be averaged.

    Raises KaldiError naming the option or file that is wrong.
    """
    options = run.options
    options.check()
    check_precision(options.precision, group.device)
    if options.num_threads:
        torch.set_num_threads(options.num_threads)
    keep_memory()
    torch.manual_seed(options.srand)

    objective_words, kind = objective_words_of(run)
    spec = DataSpec(run.data, run.targets, store=options.store, ivectors=options.ivector_dir, repeat=options.repeat)
    data = open_data(options, spec, kind, options.srand, num_epochs=options.num_epochs)
    dimensions = Dimensions(data.feature_dim, data.num_pdfs, data.ivector_dim, data.factor)
    objective = build_objective(options.objective, objective_words, dimensions)
    dimensions = dataclasses.replace(dimensions, xent=objective.wants_xent)
    model = build_model(options.model, words(options.model_opts, "model-opts"), dimensions)
    model.to(group.device)
    objective.to(group.device)

    half = options.precision == "float16"
    factors = factors_of(options.learning_rate_factors, model.parameters_of_layers())
    setting = Setting(model, objective, group, options.clip_norm, half, options.srand, num_jobs, factors)
    optimizer = OPTIMIZERS.build(options.optimizer, words(options.optimizer_opts, "optimizer-opts"), setting)
    if options.init_model:
        if group.is_first and job == 0:
            warn_of_other_input(options.init_model, run, data)
        warm_start(model, options.init_model, [name for name in options.init_skip.split(",") if name])
    factor = num_jobs if optimizer.scales_with_jobs else 1
    course = Course(
        factor * options.initial_learning_rate,
        factor * options.final_learning_rate,
        options.num_epochs,
        options.warmup_epochs,
        options.hold_epochs,
    )
    schedule = SCHEDULES.build(options.schedule, words(options.schedule_opts, "schedule-opts"), course)
    shape = ChunkShape(model.left_context, model.right_context, model.frame_subsampling_factor)
    loader = EpochStream(data.loader(shape, group, options.srand, job, num_jobs))
    valid = data.valid_loader(shape, group)
    dropout = DropoutSchedule(options.dropout_schedule, model) if options.dropout_schedule else None
    average = MovingAverage(model, options.moving_average) if options.moving_average else None
    parts = Parts(model, objective, optimizer, schedule, loader, valid, average, dropout)
    settings = Settings(options.num_epochs, options.iterations_per_epoch, options.accumulate, options.precision)
    torch.manual_seed(1000 * options.srand + group.rank + 1)  # each process has random numbers of its own
    return Assembly(run, data, shape, parts, settings, group)


def objective_words_of(run: Run) -> tuple[list[str], TargetKind]:
    """The objective's options, those that are found by themselves first; and the kind of targets that it wants."""
    given = words(run.options.objective_opts, "objective-opts")
    known = OBJECTIVES.options_of(run.options.objective)
    if "den-fst" in known:
        den_fst = _value(given, "den-fst") or str(run.folder / "den.fst")
        normalization = run.options.normalization_fst or str(Path(den_fst).parent / "normalization.fst")
        return [f"--den-fst={den_fst}", *given], TargetKind(normalization_fst=normalization)
    if "lattice-model" in known:
        model = _value(given, "lattice-model") or str(Path(run.targets) / "final.mdl")
        cutting = SplittingOptions(collapse_transition_ids=run.options.objective != "mpfe")
        if scale := _value(given, "acoustic-scale"):
            cutting.acoustic_scale = real_number(scale, "--acoustic-scale")
        return [f"--lattice-model={model}", *given], TargetKind(lattice_model=model, splitting=cutting)
    return given, TargetKind()


def _value(given: list[str], name: str) -> str:
    """Of the last word ``--name=value``, or with _ in the place of -; "" where there is none."""
    named = [word.partition("=")[::2] for word in given]
    return next((value for key, value in reversed(named) if key.replace("_", "-") == f"--{name}"), "")

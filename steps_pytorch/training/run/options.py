"""Everything that a run of training can be told."""

from __future__ import annotations

import dataclasses
import json
import shlex
from dataclasses import dataclass
from pathlib import Path

from kaldi_bridge.command import option
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.json_text import parse_json
from kaldi_bridge.io.streams import open_output
from kaldi_bridge.io.text import encode
from kaldi_bridge.io.text_files import read_text
from steps_pytorch.data.options import DataOptions

NAME = "training.json"


@dataclass
class OptimizationOptions:
    """How parameters change."""

    optimizer: str = option("natural-gradient", "natural-gradient (for nnet3), sgd, adam, adamw, adadelta")
    optimizer_opts: str = option("", "Its own options, --name=value each")
    schedule: str = option("decay", "How the learning rate changes: decay, cosine, one-cycle, plateau")
    schedule_opts: str = option("", "Its own options, --name=value each")
    initial_learning_rate: float = option(0.001, "Learning rate after the warm-up")
    final_learning_rate: float = option(0.0001, "Learning rate at the end")
    warmup_epochs: float = option(0.0, "Epochs in which the learning rate grows to the initial one")
    hold_epochs: float = option(0.0, "Epochs at the initial learning rate before it changes further")
    learning_rate_factors: str = option(
        "",
        "Factors of the learning rates of layers, 'tdnn[1-5].*=0 output*=2' say; for each layer the first pattern that "
        "fits its name counts; 0: it stays as it is",
    )
    num_epochs: float = option(10.0, "Epochs of training")
    accumulate: int = option(1, "Minibatches of an update (delayed updates)")
    clip_norm: float = option(0.0, "Largest norm of the gradient, 0: any")
    dropout_schedule: str = option(
        "", "Dropout proportions as of train.py: 0,0@0.20,0.3@0.50,0, at shares of the training; else the model's own"
    )
    precision: str = option("float32", "float32; bfloat16 or (on a GPU) float16 for matrix products")
    use_gpu: bool = option(False, "Train on a GPU")
    num_threads: int = option(0, "Threads of a process; 0: as PyTorch chooses")
    srand: int = option(0, "Seed: it fixes the run")


@dataclass
class RunOptions(OptimizationOptions, DataOptions):
    """Options of nnet-pytorch-train-model."""

    model: str = option("nnet3", "Model to train; --models=true lists them")
    model_opts: str = option("", "Its own options, --name=value each: --network=network.xconfig for nnet3")
    objective: str = option("lfmmi", "Objective to maximize; --models=true lists them")
    objective_opts: str = option("", "Its own options, --name=value each: --den-fst=den.fst for lfmmi")
    tree_dir: str = option("", "Directory with tree and final.mdl: its transition model is taken; default: targets")
    init_model: str = option("", "Start from parameters of the same names in this model (<n>.pt, checkpoint, nnet3)")
    init_skip: str = option("", "Names of parameters, with *, separated by commas, that are not taken from it")
    iterations_per_epoch: float = option(1.0, "Iterations per epoch: after each one validation and a checkpoint")
    average_last: int = option(5, "The final model is the average of those of so many last iterations")
    moving_average: float = option(0.0, "Decay of a moving average over updates, which is then the final model")
    num_jobs_initial: int = option(0, "Jobs through --cmd whose models are averaged, at the start; 0: no jobs")
    num_jobs_final: int = option(0, "The same at the end; the number grows linearly; 0: stays")
    cmd: str = option("", "How to run jobs: run.pl, queue.pl ... (this machine)")
    resume: bool = option(True, "Go on where an earlier run in the same directory was stopped")
    log_interval: int = option(10, "Updates between lines in train.jsonl")
    tensorboard: bool = option(False, "Write files for TensorBoard too")
    models: bool = option(
        False, "Print the models, objectives, optimizers and schedules with their options, and do nothing else"
    )

    def check(self) -> None:
        """Raises KaldiError for values that cannot be."""
        at_least = {
            "num-epochs": self.num_epochs > 0,
            "iterations-per-epoch": self.iterations_per_epoch > 0,
            "repeat": self.repeat > 0,
            "accumulate": self.accumulate >= 1,
            "clip-norm": self.clip_norm >= 0,
            "average-last": self.average_last >= 1,
            "moving-average": 0 <= self.moving_average < 1,
            "frame-subsampling-factor": self.frame_subsampling_factor >= 0,
            "alignment-subsampling-factor": self.alignment_subsampling_factor >= 1,
            "log-interval": self.log_interval >= 1,
            "num-workers": self.num_workers >= 0,
            "valid-utterances": self.valid_utterances >= 1,
            "minibatches-per-epoch": self.minibatches_per_epoch >= 0,
            "num-jobs-initial": self.num_jobs_initial >= 0,
            "num-jobs-final": self.num_jobs_final == 0 or self.num_jobs_initial <= self.num_jobs_final,
        }
        for name, ok in at_least.items():
            if not ok:
                raise KaldiError(f"--{name}={getattr(self, name.replace('-', '_'))} is out of range")
        if self.num_jobs_final and not self.num_jobs_initial:
            raise KaldiError("--num-jobs-final goes with --num-jobs-initial")


# A run that goes on may have others than before.
FREE = {
    "num_workers",
    "use_gpu",
    "num_threads",
    "cmd",
    "resume",
    "log_interval",
    "tensorboard",
    "models",
    "average_last",
}


@dataclass
class Run:
    """A run: its options, its data, and the directory that it is in."""

    options: RunOptions
    data: str
    targets: str
    folder: Path

    def save(self) -> None:
        """Into the directory's training.json, where jobs and later programs find it."""
        content = {"data": self.data, "targets": self.targets, "options": dataclasses.asdict(self.options)}
        with open_output(str(self.folder / NAME)) as stream:
            stream.write(encode(json.dumps(content, indent=1) + "\n"))

    @classmethod
    def load(cls, folder: Path) -> Run:
        """Raises KaldiError where there is none."""
        path = folder / NAME
        try:
            content = parse_json(read_text(path), str(path))
            return cls(RunOptions(**content["options"]), content["data"], content["targets"], folder)
        except (KaldiError, TypeError, KeyError) as error:
            raise KaldiError(f"{path} does not describe a run of training ({error})") from error

    def check_same(self, other: Run) -> None:
        """Raises KaldiError where this one cannot go on with what the other one began."""
        mine, theirs = ({"data": r.data, "targets": r.targets, **dataclasses.asdict(r.options)} for r in (self, other))
        for name, value in mine.items():
            if name not in FREE and value != theirs[name]:
                raise KaldiError(
                    f"the run in {self.folder} was begun with {name.replace('_', '-')} {theirs[name]!r}, now it is "
                    f"{value!r}: give it as it was, or start anew with --resume=false"
                )


def words(text: str, name: str) -> list[str]:
    """Options within an option, as the shell splits them. Raises KaldiError for an open quote."""
    try:
        return shlex.split(text)
    except ValueError as error:
        raise KaldiError(f"--{name}={text}: {error}") from error

"""The training loop: it learns, a seed fixes it, it goes on where it was, it counts what it leaves out."""

from __future__ import annotations

import math
import os
import resource
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

from kaldi_bridge.errors import KaldiError
from nnet3_compat.modules.normalize import BatchNorm
from steps_pytorch.data.batch import Batch
from steps_pytorch.group import Group
from steps_pytorch.models.base import Model
from steps_pytorch.models.registry import build_model
from steps_pytorch.objectives.base import Term
from steps_pytorch.objectives.registry import build_objective
from steps_pytorch.registry import Dimensions
from steps_pytorch.training.optimizers.base import OPTIMIZERS, Setting
from steps_pytorch.training.report.journal import read_journal
from steps_pytorch.training.report.meter import summed
from steps_pytorch.training.report.report import Report
from steps_pytorch.training.run.averaging import MovingAverage, average_models, recompute_statistics
from steps_pytorch.training.run.checkpoints import Checkpoints, load_state
from steps_pytorch.training.run.loop import Parts, Settings, train, validate
from steps_pytorch.training.schedules.learning_rate import Course, Decay
from tests.helpers.made_up_training import DIM, FACTOR, PDFS, Affine, Stream, make_batch, write_den_fst, write_xconfig

DIMENSIONS = Dimensions(DIM, PDFS, 0, FACTOR, xent=True)
RATES = {"sgd": 0.3, "adam": 0.02, "adamw": 0.02, "adadelta": 1.0, "natural-gradient": 0.01}


class Run:
    """A small run in a folder; ``words`` are the optimizer's options."""

    def __init__(
        self,
        folder: Path,
        *,
        optimizer: str = "adam",
        words: tuple[str, ...] = (),
        model: str = "affine",
        objective: str = "lfmmi",
        num_epochs: float = 3.0,
        accumulate: int = 1,
        sequences: int = 4,
        precision: str = "float32",
        clip_norm: float = 0.0,
        decay: float = 0.0,
        keep: int = 2,
        stream: Callable[[Model], Any] | None = None,
    ) -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)
        torch.manual_seed(1)
        group = Group()
        made = Affine(xent=True) if model == "affine" else nnet3(folder)
        words_of_objective = [f"--den-fst={write_den_fst(folder)}"] if objective.startswith("lfmmi") else []
        if objective == "lfmmi-ebm":  # with random numbers of its own, and a buffer in the checkpoint
            words_of_objective += ["--joint", "--buffer-size=20", "--max-steps=3", "--step-size=0.1"]
        what = build_objective(objective, words_of_objective, DIMENSIONS)
        setting = Setting(made, what, group, clip_norm=clip_norm)
        chosen = OPTIMIZERS.build(optimizer, words, setting)
        rate = RATES[optimizer]
        loader = stream(made) if stream else Stream(made, sequences=sequences)
        valid = [make_batch(made, 1000 + n) for n in range(3)]
        average = MovingAverage(made, decay) if decay else None
        self.parts = Parts(made, what, chosen, Decay(Course(rate, rate / 3, num_epochs)), loader, valid, average)
        self.settings = Settings(num_epochs, accumulate=accumulate, precision=precision)
        self.checkpoints = Checkpoints(folder, group, keep)
        self.group = group

    def train(self, num_epochs: float | None = None) -> dict[str, torch.Tensor]:
        settings = self.settings if num_epochs is None else Settings(num_epochs)
        report = Report(self.folder, self.settings.num_epochs, interval=2)
        try:
            train(self.parts, settings, self.group, self.checkpoints, report)
        finally:
            report.close()
        return {name: value.clone() for name, value in self.parts.model.state_dict().items()}


def nnet3(folder: Path) -> Model:
    return build_model("nnet3", [f"--network={write_xconfig(folder)}"], DIMENSIONS)


def assert_equal(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> None:
    assert a.keys() == b.keys()
    for name, value in a.items():
        assert torch.equal(value, b[name]), name


@pytest.mark.parametrize("optimizer", list(RATES))
@pytest.mark.parametrize("model", ["affine", "nnet3"])
def test_every_optimizer_learns(tmp_path: Path, optimizer: str, model: str) -> None:
    if optimizer == "natural-gradient" and model == "affine":
        with pytest.raises(KaldiError, match="natural-gradient is for --model=nnet3 only"):
            Run(tmp_path, optimizer=optimizer, model=model)
        return
    run = Run(tmp_path, optimizer=optimizer, model=model, num_epochs=6)
    before = validate(run.parts.model, run.parts.objective, run.parts.valid, run.group)["chain"]
    run.train()
    after = validate(run.parts.model, run.parts.objective, run.parts.valid, run.group)["chain"]
    assert after > before + 0.1
    events = read_journal(tmp_path)
    assert [e["iteration"] for e in events if e["event"] == "iteration"] == [1, 2, 3, 4, 5, 6]
    assert events[-1]["valid"]["chain"] == pytest.approx(after)
    assert events[-1]["learning_rate"] == pytest.approx(RATES[optimizer] / 3)


@pytest.mark.parametrize("optimizer", ["adam", "natural-gradient"])
def test_statistics_of_batch_norm_forget(tmp_path: Path, optimizer: str) -> None:
    """A minibatch has 0.8 of the weight of the next one: all together they have the frames of four."""
    run = Run(tmp_path, optimizer=optimizer, model="nnet3", num_epochs=8)
    run.train()
    found = [module for module in run.parts.model.modules() if isinstance(module, BatchNorm)]
    frames = 4 * run.parts.model.frames_in(6)  # of a minibatch, at most
    assert found and all(0.0 < float(module.count) < 4.0 * frames for module in found)


@pytest.mark.parametrize(
    "options",
    [
        {"optimizer": "adam", "decay": 0.9},
        {"optimizer": "sgd", "words": ("--momentum=0.9",), "objective": "cross-entropy"},
        {"optimizer": "natural-gradient", "model": "nnet3", "words": ("--momentum=0.5",)},
        {"objective": "lfmmi-ebm"},
    ],
    ids=["adam", "sgd", "natural-gradient", "energy-based"],
)
def test_a_run_goes_on_as_if_it_had_not_stopped(tmp_path: Path, options: dict[str, Any]) -> None:
    """To the last bit, whatever random numbers were drawn by others in between."""
    whole = Run(tmp_path / "whole", num_epochs=4, **options).train()
    run = Run(tmp_path / "parts", num_epochs=4, **options)
    run.train(2.0)
    (tmp_path / "parts" / "train.jsonl").open("a").write('{"event": "upd')  # it was killed here
    again = Run(tmp_path / "parts", num_epochs=4, **options)
    torch.manual_seed(77)
    assert_equal(again.train(), whole)
    if again.parts.average:
        assert_equal(
            again.parts.average.model_state(), load_state(tmp_path / "whole/checkpoint.4.pt")["average"]["average"]
        )
    ours, theirs = (
        [{k: v for k, v in e.items() if "second" not in k and "wait" not in k} for e in read_journal(tmp_path / name)]
        for name in ("parts", "whole")
    )
    assert ours == theirs


def test_only_the_last_models_and_checkpoint_stay(tmp_path: Path) -> None:
    run = Run(tmp_path, num_epochs=5, keep=3)
    run.train()
    assert run.checkpoints.models() == [3, 4, 5]
    assert [path.name for path in tmp_path.glob("checkpoint*")] == ["checkpoint.5.pt"]
    states = [run.checkpoints.load_model(n) for n in (3, 4, 5)]
    average_models(run.parts.model, states)
    for name, value in run.parts.model.state_dict().items():
        assert torch.allclose(value, sum(state[name] for state in states) / 3, atol=1e-7)


@pytest.mark.parametrize("optimizer", ["sgd", "natural-gradient"])
def test_accumulated_minibatches_are_one(tmp_path: Path, optimizer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two minibatches of four chunks, or one of eight; of natural gradient, the sum before it is preconditioned."""

    class Halves(Stream):
        def __next__(self) -> Batch | None:
            number, self._taken = self._taken, self._taken + 1
            whole = make_batch(self._model, number // 2, 8)
            part = slice(0, 4) if number % 2 == 0 else slice(4, 8)
            assert whole.pdfs is not None
            return Batch(whole.features[part], whole.num_outputs, whole.pdfs[part])

    class Wholes(Stream):
        def __next__(self) -> Batch | None:
            number, self._taken = self._taken, self._taken + 2
            return make_batch(self._model, number // 2, 8)

    model = "affine" if optimizer == "sgd" else "nnet3"
    options: dict[str, Any] = {"optimizer": optimizer, "objective": "cross-entropy", "model": model, "num_epochs": 2}
    # Without batch norm, which knows its minibatch, and repairs, which are drawn for each.
    lines = f"""input dim={DIM} name=input
relu-layer name=tdnn1 dim=8 input=Append(-1,0,1) self-repair-scale=0
output-layer name=output dim={PDFS}
output-layer name=output-xent input=tdnn1 dim={PDFS}
"""
    monkeypatch.setattr("tests.helpers.made_up_training.XCONFIG", lines)
    one = Run(tmp_path / "one", stream=Wholes, **options).train()
    two = Run(tmp_path / "two", stream=Halves, accumulate=2, **options).train()
    for name in dict(Run(tmp_path / "one", **options).parts.model.named_parameters()):
        assert torch.allclose(one[name], two[name], atol=2e-5), name


def test_minibatches_with_nans_are_counted_and_left_out(tmp_path: Path, capfd: pytest.CaptureFixture) -> None:
    class Broken(Stream):
        bad = (1, 4)

        def __next__(self) -> Batch | None:
            batch = super().__next__()
            if batch is not None and self._taken - 1 in self.bad:
                batch.features[0, 2, 0] = math.nan
            return None if self._taken - 1 == 3 else batch

    run = Run(tmp_path, num_epochs=1, stream=Broken)
    state = run.train()
    assert all(torch.isfinite(value).all() for value in state.values())
    event = next(e for e in read_journal(tmp_path) if e["event"] == "iteration")
    assert event["skipped"] == 2
    assert event["update"] == 3
    assert (
        "A minibatch gave infinities or NaNs and is left out: made-up utt1-0, utt1-1, utt1-2, ..."
        in capfd.readouterr().err
    )
    Broken.bad = tuple(range(100))
    with pytest.raises(KaldiError, match="none of 5 minibatches could be used"):
        Run(tmp_path / "all", num_epochs=1, stream=Broken).train()


def test_gradients_are_clipped_and_precision_is_halved(tmp_path: Path) -> None:
    start = Run(tmp_path / "start").parts.model.state_dict()
    run = Run(tmp_path / "clipped", optimizer="sgd", clip_norm=1e-3, num_epochs=1)
    changed = run.train()
    moved = math.sqrt(sum(float((changed[name] - value).square().sum()) for name, value in start.items()))
    assert 0 < moved <= 6 * 0.3 * 1e-3
    half = Run(tmp_path / "half", precision="bfloat16", num_epochs=2).train()
    full = Run(tmp_path / "full", num_epochs=2).train()
    for name, value in full.items():
        assert torch.allclose(value, half[name], atol=0.05)
        assert value.dtype == half[name].dtype == torch.float32
    with pytest.raises(KaldiError, match="--clip-norm does not go with natural-gradient"):
        Run(tmp_path / "both", optimizer="natural-gradient", model="nnet3", clip_norm=1.0)


def test_a_full_disk_leaves_the_last_checkpoint(tmp_path: Path) -> None:
    """A limit on the size of files stands for it."""
    Run(tmp_path, num_epochs=3).train(1.0)
    size = os.path.getsize(tmp_path / "checkpoint.1.pt")
    run = Run(tmp_path, num_epochs=3)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size // 2, limits[1]))
    try:
        with pytest.raises(KaldiError, match="Cannot write .*checkpoint.2.pt: File too large"):
            run.train()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert not list(tmp_path.glob(".*.tmp"))
    again = Run(tmp_path, num_epochs=3)
    assert again.checkpoints.newest() == 1
    assert_equal(again.train(), Run(tmp_path / "whole", num_epochs=3).train())


def test_a_broken_checkpoint_is_named(tmp_path: Path) -> None:
    Run(tmp_path, num_epochs=3).train(1.0)
    path = tmp_path / "checkpoint.1.pt"
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(KaldiError, match="checkpoint.1.pt: broken zip archive"):
        Run(tmp_path, num_epochs=3).train()


def test_statistics_of_an_average_are_its_own(tmp_path: Path) -> None:
    run = Run(tmp_path, optimizer="natural-gradient", model="nnet3", num_epochs=2)
    run.train()
    model = run.parts.model
    with torch.no_grad():
        model.get_parameter("network.components.tdnn1_affine.bias_params").add_(5.0)
    batches = [make_batch(model, n) for n in range(4)]
    recompute_statistics(model, batches)
    model.eval()
    norm = model.network.components["tdnn1_batchnorm"]
    seen = []
    hook = norm.register_forward_hook(lambda module, args, output: seen.append(output.detach().flatten(0, 1)))
    for batch in batches:
        model(batch.features)
    hook.remove()
    rows = torch.cat(seen)
    assert rows.mean(0).abs().max() < 0.05
    assert torch.allclose(rows.square().mean(0), torch.ones(rows.shape[1]), atol=0.1)
    assert float(norm.count) == sum(len(rows) for rows in seen)


def test_the_learning_rate_warms_up_holds_and_decays() -> None:
    schedule = Decay(Course(0.1, 0.001, num_epochs=10, warmup=2, hold=4))
    assert schedule.rate(0.0) == pytest.approx(0.001)
    assert schedule.rate(1.0) == pytest.approx(0.05)
    assert schedule.rate(2.0) == schedule.rate(6.0) == 0.1
    assert schedule.rate(8.0) == pytest.approx(0.01)
    assert schedule.rate(10.0) == pytest.approx(0.001)
    with pytest.raises(KaldiError, match="do not fit into 5 epochs"):
        Course(0.1, 0.001, num_epochs=5, warmup=2, hold=4)
    with pytest.raises(KaldiError, match="must be positive"):
        Course(0.0, 0.001, num_epochs=5)


class TwoProcesses(Group):
    """This one, and another that has seen other data."""

    def __init__(self, theirs: dict[str, Term]) -> None:
        super().__init__()
        self._theirs = theirs

    def names(self, names: Iterable[str]) -> list[str]:
        self._order = list(dict.fromkeys([*self._theirs, *names]))
        return self._order

    def totals(self, numbers: Sequence[float]) -> list[float]:
        theirs = [self._theirs.get(name, Term(0.0, 0.0)) for name in self._order]
        other = [number for term in theirs for number in (term.total, term.weight)]
        return [a + b for a, b in zip(numbers, other, strict=True)]


def test_processes_that_saw_other_kinds_of_data_add_up_what_has_the_same_name() -> None:
    mine = {"chain": Term(-3.0, 10.0), "ebm": Term(1.0, 4.0)}
    group = TwoProcesses({"ebm": Term(2.0, 6.0), "steps": Term(5.0, 1.0)})
    found = summed(mine, group)
    assert found == {"ebm": Term(3.0, 10.0), "steps": Term(5.0, 1.0), "chain": Term(-3.0, 10.0)}

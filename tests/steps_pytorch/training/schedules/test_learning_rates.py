"""Learning rates by PyTorch's names: PyTorch's own schedulers, stepped by hand, are the answer."""

from pathlib import Path

import pytest
import torch
from torch.optim.lr_scheduler import CosineAnnealingLR, OneCycleLR, ReduceLROnPlateau

from kaldi_bridge.errors import KaldiError
from steps_pytorch.training.run.checkpoints import load_state, save_state
from steps_pytorch.training.schedules.learning_rate import SCHEDULES, Course

COURSE = Course(0.1, 0.001, num_epochs=8)


def optimizer(rate: float = 0.1) -> torch.optim.Optimizer:
    return torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=rate)


def stepped(scheduler, steps: int) -> list[float]:
    rates = []
    for _ in range(steps):
        rates.append(scheduler.get_last_lr()[0])
        scheduler.optimizer.step()
        scheduler.step()
    return [*rates, scheduler.get_last_lr()[0]]


def test_cosine() -> None:
    expected = stepped(CosineAnnealingLR(optimizer(), 80, 0.001), 80)
    schedule = SCHEDULES.build("cosine", [], COURSE)
    assert [schedule.rate(n / 10) for n in range(81)] == pytest.approx(expected, rel=1e-4)
    warm = SCHEDULES.build("cosine", [], Course(0.1, 0.001, num_epochs=8, warmup=2, hold=1))
    assert warm.rate(1.0) == pytest.approx(0.05)
    assert warm.rate(3.0) == pytest.approx(0.1)
    assert warm.rate(8.0) == pytest.approx(0.001)


@pytest.mark.parametrize(
    ("words", "options"),
    [
        ([], {}),
        (
            ["--pct-start=0.4", "--anneal-strategy=linear", "--three-phase=true"],
            {"pct_start": 0.4, "anneal_strategy": "linear", "three_phase": True},
        ),
    ],
)
def test_one_cycle(words: list[str], options: dict) -> None:
    scheduler = OneCycleLR(
        optimizer(), 0.1, total_steps=1601, cycle_momentum=False, final_div_factor=0.1 / 25 / 0.001, **options
    )
    expected = stepped(scheduler, 1600)
    schedule = SCHEDULES.build("one-cycle", words, COURSE)
    assert [schedule.rate(n / 200) for n in range(1601)] == pytest.approx(expected, rel=0.03)  # at the corners
    assert schedule.rate(8.0) == pytest.approx(0.001)


def test_plateau_goes_on_where_it_was(tmp_path: Path) -> None:
    values = [-1.0, -0.5, -0.5, -0.5, -0.4, -0.4, -0.4, -0.4, -0.4, -0.4]
    scheduler = ReduceLROnPlateau(optimizer(), mode="max", factor=0.2, patience=1, threshold_mode="abs", min_lr=0.001)
    schedule = SCHEDULES.build("plateau", ["--factor=0.2", "--patience=1"], COURSE)
    rates = []
    for value in values:
        scheduler.step(value)
        schedule.after_validation(value)
        save_state(tmp_path / "state.pt", {"schedule": schedule.state_dict()})
        schedule = SCHEDULES.build("plateau", ["--factor=0.2", "--patience=1"], COURSE)
        schedule.load_state_dict(load_state(tmp_path / "state.pt")["schedule"])
        rates.append(schedule.rate(3.0))
        assert rates[-1] == pytest.approx(scheduler.get_last_lr()[0])
    assert rates[0] == pytest.approx(0.1)
    assert rates[-1] == pytest.approx(0.001)
    assert len(set(rates)) > 2


@pytest.mark.parametrize(
    ("name", "words", "message"),
    [
        ("square", [], "there is no schedule 'square'; known are cosine, decay, one-cycle, plateau"),
        ("cosine", ["--steps=3"], "schedule cosine: .*its options are none"),
        ("plateau", ["--factor=2"], "schedule plateau: Factor should be < 1"),
        ("plateau", ["--patience=-1"], "must be positive, --patience and --cooldown not negative"),
        ("one-cycle", ["--pct-start=1"], "--pct-start must be between 0 and 1"),
        ("one-cycle", ["--anneal-strategy=none"], "schedule one-cycle: "),
    ],
)
def test_what_is_wrong_is_named(name: str, words: list[str], message: str) -> None:
    with pytest.raises(KaldiError, match=message):
        SCHEDULES.build(name, words, COURSE)
    with pytest.raises(KaldiError, match="no --warmup-epochs"):
        SCHEDULES.build("one-cycle", [], Course(0.1, 0.001, 8, warmup=1))

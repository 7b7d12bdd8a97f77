"""Samplers against distributions whose moments are known, and the bookkeeping around them."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from kaldi_bridge.errors import KaldiError
from steps_pytorch.samplers.langevin import clipped
from steps_pytorch.samplers.options import ReplayOptions, SamplerOptions
from steps_pytorch.samplers.replay_buffer import ReplayBuffer
from steps_pytorch.samplers.sampler import Sampled, check, sample, states
from steps_pytorch.trainable import Trainable


@pytest.fixture(autouse=True)
def seed() -> None:
    torch.manual_seed(5)


def langevin(step_size: float, steps: int, **changes: Any) -> SamplerOptions:
    """Noise that samples from exp(-energy)."""
    options = SamplerOptions(step_size=step_size, noise=math.sqrt(2 * step_size), min_steps=steps, max_steps=steps)
    return replace(options, **changes)


VARIANCES = torch.tensor([0.5, 1.0, 2.0])


def gaussian(x: Tensor) -> Tensor:
    return (0.5 * (x - 1.0).square() / VARIANCES).sum((1, 2))


@pytest.mark.parametrize("temperature", [1.0, 0.25])
def test_sgld_of_a_gaussian(temperature: float) -> None:
    """The variance of x' = (1 - s / v) x + sigma n is v T / (1 - s / (2 v)); means within 0.06, variances 6 %."""
    options = langevin(0.1, 120)
    options.noise *= math.sqrt(temperature)
    x = sample(options, gaussian, torch.zeros(8000, 1, 3)).x.squeeze(1)
    assert x.mean(0) == pytest.approx(1.0, abs=0.06)
    want = VARIANCES * temperature / (1 - 0.05 / VARIANCES)
    torch.testing.assert_close(x.var(0), want, rtol=0.06, atol=0)


def test_replay_correction_keeps_the_distribution() -> None:
    """Steps shrink with the age of a sample, noise with them: variances within 8 %."""
    options = langevin(0.3, 400, replay_correction=0.5)
    x = sample(options, gaussian, torch.zeros(8000, 1, 3)).x.squeeze(1)
    assert x.mean(0) == pytest.approx(1.0, abs=0.06)
    torch.testing.assert_close(x.var(0), VARIANCES, rtol=0.08, atol=0)


def test_adam_finds_each_scale() -> None:
    """Variances within 20 %, of elements whose variances differ by a factor of a hundred."""
    variances = torch.tensor([0.1, 1.0, 10.0])
    options = langevin(0.05, 1000, sampler="adam")
    x = sample(options, lambda x: (0.5 * x.square() / variances).sum((1, 2)), torch.randn(2000, 1, 3)).x.squeeze(1)
    torch.testing.assert_close(x.mean(0) / variances.sqrt(), torch.zeros(3), rtol=0, atol=0.1)
    torch.testing.assert_close(x.var(0) / variances, torch.ones(3), rtol=0.2, atol=0)


def mixture(x: Tensor) -> Tensor:
    """0.3 N(-1.5, 0.36) + 0.7 N(1.5, 0.36)."""
    means, weights = torch.tensor([-1.5, 1.5]), torch.tensor([0.3, 0.7])
    return -torch.logsumexp(weights.log() - (x.flatten(1) - means).square() / 0.72, 1)


@pytest.mark.parametrize(("name", "step", "steps"), [("sgld", 0.1, 1000), ("adam", 0.2, 800)])
def test_two_modes_have_their_weights(name: str, step: float, steps: int) -> None:
    """From noise over both modes: the share of the larger within 0.05, mean within 0.15, second moment within 8 %."""
    start = 6 * torch.rand(2000, 1, 1) - 3
    x = sample(langevin(step, steps, sampler=name), mixture, start).x.flatten()
    assert float((x > 0).float().mean()) == pytest.approx(0.7, abs=0.05)
    assert float(x.mean()) == pytest.approx(0.4 * 1.5, abs=0.15)
    assert float(x.square().mean()) == pytest.approx(1.5**2 + 0.36, rel=0.08)


def test_gaussian_bernoulli_machine() -> None:
    """Its density of visible units is a mixture of 2^3 Gaussians: first two moments within 0.1."""
    random = torch.Generator().manual_seed(2)
    weight = 0.7 * torch.randn(2, 3, generator=random)
    visible, hidden = torch.tensor([0.5, -0.5]), torch.tensor([0.2, -0.3, 0.1])

    def free_energy(x: Tensor) -> Tensor:
        v = x.flatten(1)
        return 0.5 * (v - visible).square().sum(1) - nn.functional.softplus(hidden + v @ weight).sum(1)

    units = torch.tensor(list(itertools.product([0.0, 1.0], repeat=3)))
    means = visible + units @ weight.T
    weights = (units @ hidden + 0.5 * (means.square().sum(1) - visible.square().sum())).softmax(0)
    mean = weights @ means
    second = torch.eye(2) + (weights.unsqueeze(1) * means).T @ means
    v = sample(langevin(0.05, 400), free_energy, torch.randn(8000, 1, 2)).x.flatten(1)
    torch.testing.assert_close(v.mean(0), mean, rtol=0, atol=0.1)
    torch.testing.assert_close(v.T @ v / len(v), second, rtol=0, atol=0.1)


def test_accelerated_reaches_the_energy_of_data() -> None:
    """In many dimensions that energy is where a Gaussian's mass is: variances within 5 %, energy within 2 %."""
    dim = 100

    def energy(x: Tensor) -> Tensor:
        return 0.5 * x.square().sum((1, 2))

    options = SamplerOptions(sampler="accelerated", noise=0.01, min_steps=30, max_steps=30, overshoot=0.0)
    for scale in (3.0, 1.5):
        made = sample(options, energy, scale * torch.randn(200, 4, dim // 4), goal=dim / 2)
        assert float(made.energies.mean()) == pytest.approx(dim / 2, rel=0.02)
        assert float(made.x.mean()) == pytest.approx(0.0, abs=0.05)
        assert float(made.x.var()) == pytest.approx(1.0, rel=0.05)
    # Straight down a linear energy: one step, to a goal that is better by the overshoot.
    line = replace(options, noise=0.0, min_steps=1, max_steps=1, overshoot=0.1)
    assert sample(line, lambda x: 2 * x.sum((1, 2)), torch.full((3, 1, 1), 8.0), goal=10.0).energies == pytest.approx(9)
    below = sample(line, lambda x: 2 * x.sum((1, 2)), torch.full((3, 1, 1), 4.0), goal=10.0)
    assert below.energies == pytest.approx(8.0 - line.epsilon)
    with pytest.raises(KaldiError, match="given energy"):
        sample(line, energy, torch.ones(1, 1, 1))


def test_when_a_run_stops() -> None:
    """Without noise the energy of x^2 / 2 shrinks by 0.81 with each step of 0.1."""
    options = SamplerOptions(step_size=0.1, noise=0.0, min_steps=0, max_steps=100)

    def steps(goal: float | None, **changes: Any) -> int:
        start = torch.ones(2, 1, 1)
        return sample(replace(options, **changes), lambda x: 0.5 * x.square().sum((1, 2)), start, goal=goal).step

    assert steps(0.6) == 0
    assert steps(0.4) == 2
    assert steps(0.4, threshold=0.05) == 1
    assert steps(0.4, min_steps=5) == 5
    assert steps(0.4, max_steps=1) == 1
    assert steps(None) == 100
    # A narrower prior is another energy: towards 0 by a factor 0.8 with each step.
    halved = replace(options, min_steps=1, max_steps=1, sample_l2=1.0)
    made = sample(halved, lambda x: 0.5 * x.square().sum((1, 2)), torch.ones(2, 1, 1), torch.tensor([0, 7]))
    assert made.x.flatten() == pytest.approx(0.8)
    assert made.num_steps.tolist() == [1, 8]


def test_clipping() -> None:
    x = torch.tensor([[[3.0, 4.0]], [[0.3, 0.4]], [[0.0, 0.0]]])
    torch.testing.assert_close(clipped(x, 1.0), torch.tensor([[[0.6, 0.8]], [[0.3, 0.4]], [[0.0, 0.0]]]))
    assert clipped(x, 0.0) is x
    options = SamplerOptions(step_size=1.0, noise=0.0, min_steps=1, max_steps=1, clip=1.0)
    made = sample(options, lambda x: 100 * x.sum((1, 2)), torch.zeros(1, 1, 4))
    assert made.x.flatten() == pytest.approx(-0.5)


@pytest.mark.parametrize("change", [{"sampler": "hmc"}, {"min_steps": 9, "max_steps": 3}, {"noise": -1.0}])
def test_options_that_make_no_sense(change: dict[str, Any]) -> None:
    with pytest.raises(KaldiError, match="--"):
        check(replace(SamplerOptions(), **change))


def test_a_run_may_be_looked_at() -> None:
    seen = list(states(langevin(0.1, 3), gaussian, torch.zeros(2, 1, 3)))
    assert [s.step for s in seen] == [0, 1, 2, 3]
    assert not seen[0].x.any() and not any(s.x.requires_grad for s in seen)
    assert seen[2].energies == pytest.approx(gaussian(seen[2].x))


# The replay buffer.


def buffer(**changes: Any) -> ReplayBuffer:
    return ReplayBuffer(replace(ReplayOptions(buffer_size=50, reinit_probability=0.0), **changes))


def test_samples_live_on_in_their_places() -> None:
    kept = buffer(init_value=0.5)
    data = torch.randn(8, 5, 3)
    drawn = kept.draw(data)
    assert kept.samples.shape == (50, 5, 3)
    assert kept.samples.abs().max() <= 0.5 and kept.samples.std() == pytest.approx(0.5 / math.sqrt(3), rel=0.1)
    assert len(set(drawn.slots.tolist())) == 8
    torch.testing.assert_close(drawn.x, kept.samples[drawn.slots])
    x = torch.randn(8, 5, 3)
    x[2, 0, 0] = torch.nan
    before = kept.samples[drawn.slots[2]].clone()
    kept.store(drawn, Sampled(x, torch.zeros(8), drawn.num_steps + 4, 4))
    torch.testing.assert_close(kept.samples[drawn.slots[2]], before)
    good = [0, 1, 3, 4, 5, 6, 7]
    torch.testing.assert_close(kept.samples[drawn.slots[good]], x[good])
    assert int(kept.num_steps.sum()) == 4 * 7
    again = kept.draw(torch.randn(50, 9, 3))  # samples keep their length
    torch.testing.assert_close(again.num_steps, kept.num_steps[again.slots])
    with pytest.raises(KaldiError, match="--buffer-size=51"):
        kept.draw(torch.randn(51, 5, 3))


def test_a_share_of_samples_starts_anew() -> None:
    kept = buffer(buffer_size=2000, reinit_probability=0.25)
    kept.num_steps.fill_(9)
    drawn = kept.draw(torch.randn(2000, 1, 2))
    new = drawn.num_steps == 0
    assert float(new.float().mean()) == pytest.approx(0.25, abs=0.03)
    assert not torch.equal(drawn.x[new], kept.samples[drawn.slots[new]])
    torch.testing.assert_close(drawn.x[~new], kept.samples[drawn.slots[~new]])


def test_starts_from_noise_data_or_both() -> None:
    data = torch.full((40, 6, 2), 10.0)

    def start(draws: int = 1, **changes: Any) -> Tensor:
        kept = buffer(reinit_probability=1.0, **changes)
        for _ in range(draws):
            drawn = kept.draw(data)
        return drawn.x

    assert start(init="noise").abs().max() <= 1
    torch.testing.assert_close(start(init="data"), data)
    mean = start(init="mixture").mean((1, 2))
    assert mean.min() < 2 and mean.max() > 8
    rate = 0.1
    assert start(init="mixture", init_mixture_rate=rate).abs().max() <= 1  # noise alone at first
    later = start(draws=11, init="mixture", init_mixture_rate=rate).mean((1, 2)).max()
    assert 3 < later < 10 * (1 - math.exp(-1)) + 1
    other = buffer(reinit_probability=1.0, init="data")
    other.draw(data)
    counting = torch.arange(4.0).view(1, 4, 1).expand(9, 4, 2)
    assert other.draw(counting).x[3, :, 0].tolist() == [0, 1, 2, 3, 3, 3]  # the last frame goes on
    assert other.draw(torch.cat([counting, counting], 1)).x[3, :, 0].tolist() == [0, 1, 2, 3, 0, 1]
    with pytest.raises(KaldiError, match="--init=zeros"):
        buffer(init="zeros")


def test_a_saved_buffer_comes_back() -> None:
    kept, other = buffer(), buffer()
    drawn = kept.draw(torch.randn(8, 5, 3))
    kept.store(drawn, Sampled(torch.randn(8, 5, 3), torch.zeros(8), drawn.num_steps + 2, 2))
    other.load_state_dict(kept.state_dict())
    assert all(torch.equal(a, b) for a, b in zip(kept.buffers(), other.buffers(), strict=True))
    assert torch.equal(other.draw(torch.randn(50, 5, 3)).x.sort(0).values, kept.samples.sort(0).values)


class Holder(Trainable):
    """A module with a buffer within, and a parameter of its own."""

    def __init__(self, value: float) -> None:
        super().__init__()
        self.parameter = nn.Parameter(torch.tensor(value))
        self.inner = nn.ModuleList([buffer(buffer_size=3000)])


def test_jobs_give_a_share_of_their_samples_each() -> None:
    holders = [Holder(1.0), Holder(2.0), Holder(6.0)]
    for number, holder in enumerate(holders[:2]):
        kept = holder.inner[0]
        kept.draw(torch.randn(2, 1, 2))
        kept.samples.fill_(number)
        kept.num_steps.fill_(10 * number)
    made = holders[0].average_states([h.state_dict() for h in holders], [0.2, 0.6, 0.2])
    assert made["parameter"] == pytest.approx(0.2 + 1.2 + 1.2)
    samples = made["inner.0.samples"]
    assert samples.shape == (3000, 1, 2)
    assert set(samples.unique().tolist()) == {0.0, 1.0}  # whole samples, none of the job that had none
    assert float(samples.mean()) == pytest.approx(0.75, abs=0.04)
    assert torch.equal(made["inner.0.num_steps"], 10 * samples[:, 0, 0].long())
    holders[2].load_state_dict(made)

"""Endpoint rules, one by one, and the weights of silence."""

import itertools
import math
from pathlib import Path

import numpy as np
import pytest

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.hmm.transition_model import read_transition_model
from kaldi_bridge.online.endpointing import EndpointOptions, endpoint_rule, phone_set
from kaldi_bridge.online.silence_weighting import SilenceWeighting, SilenceWeightingOptions
from kaldi_bridge.online.timing import OnlineTimer, TimingStatistics


@pytest.mark.parametrize(
    ("seconds", "silence", "cost", "rule"),
    [
        (4.9, 4.9, math.inf, 0),
        (5.0, 5.0, math.inf, 1),  # silence alone
        (3.0, 0.5, 2.0, 2),
        (3.0, 0.5, 2.1, 0),
        (0.6, 0.6, 0.0, 0),  # nothing but silence
        (3.0, 1.0, 8.0, 3),
        (3.0, 1.9, 8.1, 0),
        (3.0, 2.0, math.inf, 4),
        (19.9, 0.0, 0.0, 0),
        (20.0, 0.0, math.inf, 5),
    ],
)
def test_rules(seconds: float, silence: float, cost: float, rule: int) -> None:
    assert endpoint_rule(EndpointOptions(), seconds, silence, cost) == rule


def test_rules_can_be_changed() -> None:
    options = EndpointOptions(rule5_length=2.0, rule2_nonsilence=False)
    assert endpoint_rule(options, 2.0, 0.0, math.inf) == 5
    assert endpoint_rule(options, 0.6, 0.6, 0.0) == 2


def test_sets_of_phones() -> None:
    assert phone_set("1:2,3", "x") == {1, 2, 3}
    with pytest.raises(KaldiError, match="Bad --x=1:a"):
        phone_set("1:a", "x")


def test_weights_follow_the_best_path(reference: Path) -> None:
    model = read_transition_model(str(reference / "fsdd/tdnnf/final.mdl"))
    silence = int(model.id_to_phone[1])
    quiet = np.flatnonzero(model.id_to_phone == silence)[:2].tolist()
    speech = np.flatnonzero((model.id_to_phone != silence) & (model.id_to_phone != 0))[:2].tolist()
    options = SilenceWeightingOptions(str(silence), 0.25, 4)
    assert options.active and not SilenceWeightingOptions().active
    weighting, weights = SilenceWeighting(options, model, 3), np.zeros(24)

    calls = itertools.count()

    def after(alignment: list[int], num_ready: int, same_states: int = 0) -> list[float]:
        """With paths through other states each time, but for the first few."""
        states = [0] * same_states + [next(calls) + 1] * len(alignment)
        steps = np.array([*zip(alignment, states, strict=False)], np.int32).reshape(-1, 2)
        for frame, change in weighting.changes(steps, num_ready):
            weights[frame] += change
        return weights[::3].tolist()

    assert after([], 4) == [0.25] * 2 + [0] * 6  # nothing known yet: as silence; of frames that share an output
    assert after([quiet[0], speech[0]], 10) == [0.25, 1, 1, 1, 0, 0, 0, 0]  # newer ones: as the last one known
    assert after([speech[0], quiet[1], speech[0], quiet[0]], 18) == [1, 0.25, 1, 0.25, 0.25, 0.25, 0, 0]
    assert after([speech[1], *[speech[0]] * 4, speech[1]], 24) == [1, 0.25, 0.25, 0.25, 0.25, 1, 1, 1]  # too long
    assert (weights.reshape(8, 3) == weights[::3, np.newaxis]).all()
    assert after([speech[1], *[speech[0]] * 4, speech[1]], 24) == weights[::3].tolist()
    assert after([speech[1], quiet[0]] * 3, 24, same_states=3) == [1, 0.25, 1, 0.25, 1, 0.25, 0.25, 0.25]
    parted = [speech[1], quiet[0], quiet[0], *[speech[1], speech[0]] * 2]
    assert after(parted, 24, same_states=3)[:4] == [1, 0.25, 1, 1]  # where paths part, the old transition stays


def test_timing(capfd: pytest.CaptureFixture[str]) -> None:
    """Nothing sleeps: an utterance of a minute takes a minute for someone who speaks it."""
    statistics, timer = TimingStatistics(), OnlineTimer()
    statistics.report(online=True)
    assert capfd.readouterr().err == ""
    timer.wait_until(30.0)
    timer.wait_until(60.0)
    assert 60.0 <= timer.elapsed() < 61.0
    statistics.add("a", timer)
    statistics.report(online=True)
    assert "Longest delay was" in capfd.readouterr().err
    statistics.report(online=False)
    busy = float(capfd.readouterr().err.split(" = ")[1].split()[0])
    assert 0 <= busy < 1  # seconds of work

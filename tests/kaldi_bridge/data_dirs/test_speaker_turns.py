"""Windows along utterances, and turns of labelled windows."""

import numpy as np
import pytest

from kaldi_bridge.data_dirs.speaker_turns import Turn, without_overlap
from kaldi_bridge.data_dirs.windows import WindowOptions, windows
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.features.voice_activity import speech_segments


@pytest.mark.parametrize(
    ("duration", "expected"),
    [
        (1.0, [(0.0, 1.0)]),
        (0.3, [(0.0, 0.3)]),
        (1.5, [(0.0, 1.5)]),
        (2.0, [(0.0, 1.5), (0.75, 2.0)]),
        (3.1, [(0.0, 1.5), (0.75, 2.25), (1.5, 3.0), (2.25, 3.1)]),
        (2.7, [(0.0, 1.5), (0.75, 2.25), (1.5, 2.7)]),
    ],
)
def test_windows(duration: float, expected: list[tuple[float, float]]) -> None:
    """Those of Kaldi's get_uniform_subsegments.py with these options and --constant-duration=True."""
    found = windows("a", duration, WindowOptions())
    assert [(window.start, window.end) for window in found] == expected
    assert found[-1].name == f"a-{round(100 * expected[-1][0]):08d}-{round(100 * duration):08d}"


def test_what_remains_is_short() -> None:
    found = windows("a", 1.6, WindowOptions(period=1.5))
    assert [(window.start, window.end) for window in found] == [(0.0, 1.5), (0.1, 1.6)]
    assert windows("a", 0.3, WindowOptions(hard_min=True)) == []
    with pytest.raises(KaldiError, match="--period=2"):
        WindowOptions(period=2.0).check()


def test_frames() -> None:
    (window,) = windows("a", 1.25, WindowOptions())
    assert window.frames(0.01, 1000) == slice(0, 125) and window.frames(0.01, 120) == slice(0, 120)


def test_turns() -> None:
    labelled = [Turn(0.0, 1.5, "1"), Turn(0.75, 2.25, "1"), Turn(1.5, 3.0, "2"), Turn(4.0, 5.0, "2")]
    assert without_overlap(labelled) == [Turn(0.0, 1.875, "1"), Turn(1.875, 3.0, "2"), Turn(4.0, 5.0, "2")]
    assert without_overlap([]) == []


def test_speech() -> None:
    voiced = np.array([0, 1, 1, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 1, 1], bool)
    assert speech_segments(voiced, 1, 2) == [(1, 5), (12, 15)]
    assert speech_segments(voiced, 3, 2) == [(1, 15)]
    assert speech_segments(np.zeros(5, bool), 1, 1) == []

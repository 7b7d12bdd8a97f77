"""Chunks of utterances: gaps in the order that Python's own generator gives, chunks of many utterances as of each."""

from random import Random

import numpy as np
import pytest

from kaldi_bridge.c_random import CRandom
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.examples.utterance_splitting import ChunkOptions, UtteranceSplitter


def splitter(seed: int = 0, **options: object) -> UtteranceSplitter:
    return UtteranceSplitter(ChunkOptions(**options), CRandom(seed))  # type: ignore[arg-type]


def test_gaps() -> None:
    """Of 3 chunks of 8 frames in 25, one frame is left out; more numbers than the generator holds."""
    own, order = splitter(7, num_frames="8"), Random(7)
    for _ in range(500):
        gaps = [1, 0, 0, 0]
        order.shuffle(gaps)
        firsts = [8 * i + sum(gaps[: i + 1]) for i in range(3)]
        assert [chunk.first_frame for chunk in own.split(25)] == firsts


@pytest.mark.parametrize("options", [{"num_frames": "8,5", "num_frames_overlap": 2}, {"num_frames": "-1"}])
def test_many_at_once(options: dict[str, object]) -> None:
    lengths = [30, 3, 200, 17, 30, 8]
    places, firsts, sizes, counts = splitter(**options).split_many(lengths)
    own = splitter(**options)
    expected = [(place, *chunk) for place, length in enumerate(lengths) for chunk in own.split(length)]
    assert list(zip(places, firsts, sizes, strict=True)) == [chunk[:3] for chunk in expected]
    assert np.array_equal(1 / counts.astype(np.float32), np.concatenate([chunk[-1] for chunk in expected]))


def test_contexts_at_the_ends() -> None:
    own = splitter(num_frames="8", left_context=3, right_context=4, left_context_initial=0, right_context_final=1)
    assert [chunk[2:4] for chunk in own.split(24)] == [(0, 4), (3, 4), (3, 1)]
    assert own.split(7) == []
    assert own.report()


def test_options_that_make_no_sense() -> None:
    with pytest.raises(KaldiError, match="--num-frames-overlap must be smaller"):
        splitter(num_frames="8", num_frames_overlap=8)
    with pytest.raises(KaldiError, match="--frame-subsampling-factor=0"):
        splitter(frame_subsampling_factor=0)

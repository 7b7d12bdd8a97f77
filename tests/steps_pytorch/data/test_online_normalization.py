"""Features normalized online for training: the numbers of apply-cmvn-online on whole utterances."""

import numpy as np
import pytest

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.transforms.cmvn import compute_stats
from kaldi_bridge.transforms.online_cmvn import OnlineCmvn, OnlineCmvnOptions
from steps_pytorch.data.online_normalization import OnlineNormalized

DIM = 4


class Made:
    """One utterance in memory."""

    def __init__(self, feats: np.ndarray) -> None:
        self.feats, self.lengths, self.dim, self.bad = feats, {"a": len(feats)}, feats.shape[1], {}

    def frames(self, utterance: str, first: int, count: int, random: np.random.Generator | None) -> np.ndarray:
        assert utterance == "a" and first >= 0 and first + count <= len(self.feats)
        return self.feats[first : first + count]


@pytest.mark.parametrize(
    ("words", "options"),
    [
        ("", OnlineCmvnOptions()),
        (
            "--cmn-window=50 --speaker-frames=40 --global-frames=20 --norm-vars=true",
            OnlineCmvnOptions(50, 40, 20, norm_vars=True),
        ),
    ],
)
def test_any_chunk_is_that_of_the_whole_utterance(words: str, options: OnlineCmvnOptions) -> None:
    random = np.random.default_rng(0)
    feats = random.normal(3, 2, (200, DIM)).astype(np.float32)
    stats = compute_stats(random.normal(1, 1, (500, DIM)).astype(np.float32))
    whole = OnlineCmvn(options, stats, [])(feats)
    source = OnlineNormalized(Made(feats), words, stats)
    for first, count in ((0, 200), (-5, 20), (120, 30), (190, 25), (-300, 10)):
        expected = whole[np.clip(np.arange(first, first + count), 0, 199)]
        np.testing.assert_allclose(source.frames("a", first, count, None), expected, atol=1e-5)


def test_what_makes_no_sense_is_refused_at_once() -> None:
    made, stats = Made(np.zeros((9, DIM), np.float32)), compute_stats(np.ones((5, DIM), np.float32))
    with pytest.raises(KaldiError, match="Invalid option --window=3"):
        OnlineNormalized(made, "--window=3", stats)
    with pytest.raises(KaldiError, match="ascending order"):
        OnlineNormalized(made, "--cmn-window=3", stats)
    with pytest.raises(KaldiError, match="features of dimension 4, statistics of 3"):
        OnlineNormalized(made, "", stats[:, 1:])

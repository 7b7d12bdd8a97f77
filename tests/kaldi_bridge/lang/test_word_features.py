"""Embeddings of words that have features, against what Kaldi's rnnlm-get-word-embedding wrote for the same."""

from pathlib import Path

import numpy as np
import pytest

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.lang.word_features import read_word_features, word_embedding

FEATURES = "0\n1 0 1.0 2 0.5\n2 1 2\n3 0 1 1 -0.25 2 3e-1 3 1\n4 3 .5\n"
EMBEDDING = np.array([[0.1, 0.2, -0.3], [1.5, 0.25, 0.7], [-0.4, 0.6, 0.9], [2, -1, 0.5]], np.float32)
KALDIS = [[0, 0, 0], [-0.1, 0.5, 0.15], [3, 0.5, 1.4], [1.605, -0.6825, 0.295], [1, -0.5, 0.25]]


def test_as_kaldi(tmp_path: Path) -> None:
    (tmp_path / "feats").write_text(FEATURES)
    features = read_word_features(str(tmp_path / "feats"), 4)
    np.testing.assert_allclose(word_embedding(features, EMBEDDING), KALDIS, atol=1e-6)
    with pytest.raises(KaldiError, match="4 features do not fit 3 embeddings"):
        word_embedding(features, EMBEDDING[:3])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "No line could be read"),
        ("0\n2 0 1\n", "line 2: The word-indexes are expected to be in order 0, 1, 2"),
        ("0 1 1\n\n2\n", "line 2: The word-indexes"),
        ("0 4 1\n", "line 1: Invalid feature index: '4'"),
        ("0 -1 1\n", "line 1: Invalid feature index: '-1'"),
        ("0 1 1 2\n", "line 1: No value for feature-index 2"),
        ("0 1 1 1 1\n", "line 1: feature indexes are expected to be in increasing order"),
        ("0 1 x\n", "'x' is no number"),
    ],
)
def test_bad_lines(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "feats").write_text(text)
    with pytest.raises(KaldiError, match=message):
        read_word_features(str(tmp_path / "feats"), 4)

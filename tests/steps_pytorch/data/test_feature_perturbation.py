"""Noise on features, of whatever source, and how many chunks get it over a run of training."""

from pathlib import Path

import numpy as np
import pytest

from kaldi_bridge.errors import KaldiError
from steps_pytorch.data.dataset import ChunkShape, DataSet
from steps_pytorch.data.feature_sources import TableFeatures
from steps_pytorch.data.loader import ChunkLoader
from steps_pytorch.data.perturbation.feature_noise import FeatureDrop, FeatureNoise
from steps_pytorch.data.perturbation.options import PerturbationOptions
from tests.helpers.made_up_data import MadeUpData

FEATURES = np.ones((200, 50), np.float32)


def test_noise_has_its_deviation() -> None:
    random = np.random.default_rng(0)
    noise = FeatureNoise((0.3, 0.3))(FEATURES, random) - FEATURES
    assert noise.dtype == np.float32
    assert noise.std() == pytest.approx(0.3, rel=0.03)
    assert abs(noise.mean()) < 0.01
    deviations = [(FeatureNoise((0.1, 0.5))(FEATURES, random) - FEATURES).std() for _ in range(50)]
    assert 0.1 < min(deviations) < 0.2 < 0.4 < max(deviations) < 0.51


def test_salt_and_pepper_takes_its_share() -> None:
    made = FeatureDrop((0.25, 0.25))(FEATURES, np.random.default_rng(0))
    assert set(np.unique(made)) == {0.0, 1.0}
    assert (made == 0.0).mean() == pytest.approx(0.25, abs=0.02)
    assert (FEATURES == 1.0).all()


def perturbed_chunks(made: MadeUpData, schedule: str, training: bool = True) -> list[list[bool]]:
    """Of each of four epochs, whether each chunk has noise: column 0 is the number of the utterance."""
    options = PerturbationOptions(feature_noise="0.1", perturbed_share=schedule)
    train = DataSet(
        "train",
        TableFeatures(str(made.data)),
        perturbations=options.of_features(),
        perturbed_share=options.share_perturbed(4.0),
    )
    loader = ChunkLoader([train], ChunkShape(), chunk_width="10", minibatch_size="8", training=training)
    return [
        [bool((row[:, 0] != row[0, 0].round()).any()) for batch in loader for row in batch.features] for _ in range(4)
    ]


def test_all_or_none_of_the_chunks(tmp_path: Path) -> None:
    made = MadeUpData(tmp_path)
    assert {x for epoch in perturbed_chunks(made, "1") for x in epoch} == {True}
    assert {x for epoch in perturbed_chunks(made, "0") for x in epoch} == {False}
    assert {x for epoch in perturbed_chunks(made, "1", training=False) for x in epoch} == {False}


def test_the_share_grows_with_training(tmp_path: Path) -> None:
    """Nothing in the first of four epochs, half of the chunks in the middle of the last three, and so on."""
    shares = [np.mean(epoch) for epoch in perturbed_chunks(MadeUpData(tmp_path), "0,0@0.25,1@0.75,1")]
    assert shares[0] == 0.0
    assert shares[1] == pytest.approx(0.25, abs=0.12)
    assert shares[2] == pytest.approx(0.75, abs=0.12)
    assert shares[3] == 1.0


@pytest.mark.parametrize("text", ["2", "x", "0,1@0.9,1@0.1,0"])
def test_what_is_no_share(text: str) -> None:
    with pytest.raises(KaldiError, match=f"--perturbed-share={text}: expected proportions"):
        PerturbationOptions(perturbed_share=text).share_perturbed(1.0)

"""What a model directory says of its input, and what does not go with it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from kaldi_bridge.commands.data.model_input import run
from kaldi_bridge.data_dirs.feature_options import FeatureOptions
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.model_dirs.model_input import ModelInput, Offer, check_input
from kaldi_bridge.tables import TableWriter
from kaldi_bridge.tables.holders import FLOAT_MATRIX

HIRES = "--use-energy=false\n--num-ceps=40\n--num-mel-bins=40\n--low-freq=20\n--high-freq=-400 # of 8000\n"


def write_features(directory: Path, dim: int, options: FeatureOptions | None = None) -> Path:
    directory.mkdir()
    with TableWriter(f"ark,scp:{directory}/feats.ark,{directory}/feats.scp", FLOAT_MATRIX) as writer:
        writer.write("u", np.zeros((3, dim), np.float32))
    if options is not None:
        options.write(directory)
    return directory


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """Trained on MFCC of 16 kHz, normalized per speaker."""
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "cmvn_opts").write_text("--norm-means=true  --norm-vars=false\n")
    ModelInput.of(FeatureOptions("mfcc", HIRES), 40, "--norm-means=true --norm-vars=false").write(folder)
    return folder


def test_features_that_are_made_alike(model: Path, tmp_path: Path) -> None:
    """Whatever the order, with Kaldi's defaults given or not, and edges counted from half the sampling rate."""
    text = (
        "--high-freq=7600\n--dither=0.0\n--num_mel_bins=40\n--num-ceps=40\n--use-energy=false\n--sample-frequency=16e3"
    )
    found = check_input(model, Offer.of_data(write_features(tmp_path / "data", 40, FeatureOptions("mfcc", text))))
    assert not found.problems and not found.warnings


@pytest.mark.parametrize(
    ("kind", "text", "dim", "said"),
    [
        ("mfcc", HIRES + "--sample-frequency=8000\n", 40, "high-freq 7600 and 3600, sample-frequency 16000 and 8000"),
        ("mfcc", HIRES.replace("low-freq=20", "low-freq=40"), 40, "low-freq 20 and 40"),
        ("fbank", "--num-mel-bins=40\n", 40, "mfcc and fbank"),
        ("mfcc", HIRES, 13, "trained on features of dimension 40, those of .* have 13"),
    ],
)
def test_features_that_are_made_otherwise(
    model: Path, tmp_path: Path, kind: str, text: str, dim: int, said: str
) -> None:
    data = write_features(tmp_path / "data", dim, FeatureOptions(kind, text))
    assert run(["check", str(model), str(data)]) != 0
    assert re.search(said, "\n".join(check_input(model, Offer.of_data(data)).problems))


def test_a_model_that_was_copied_without_its_normalization(model: Path, tmp_path: Path) -> None:
    offer = Offer.of_data(write_features(tmp_path / "data", 40, FeatureOptions("mfcc", HIRES)))
    (model / "cmvn_opts").write_text("--norm-means=false\n")
    assert "says '--norm-means=false', but the model was trained with" in check_input(model, offer).problems[0]
    (model / "cmvn_opts").unlink()
    assert "no such file" in check_input(model, offer).problems[0]
    (model / "cmvn_opts").write_text("--norm-means=true --norm-vars=false\n")
    (model / "online_cmvn").touch()
    assert "not normalized online" in check_input(model, offer).problems[0]


def test_ivectors(model: Path, tmp_path: Path) -> None:
    data = write_features(tmp_path / "data", 40, FeatureOptions("mfcc", HIRES))
    ivectors = write_features(tmp_path / "ivectors", 100)
    (ivectors / "feats.scp").rename(ivectors / "ivector_online.scp")
    assert "i-vectors of dimension 0, now it is 100" in check_input(model, Offer.of_data(data, ivectors)).problems[0]


def test_what_is_not_told(model: Path, tmp_path: Path) -> None:
    """Only the dimension is compared; nothing, for a model of Kaldi's."""
    data = write_features(tmp_path / "data", 40)
    found = check_input(model, Offer.of_data(data))
    assert not found.problems and "does not tell how features were made" in found.warnings[0]
    (model / "input.json").unlink()
    assert check_input(model, Offer.of_data(data)).warnings == []


def test_recorded_by_the_program(tmp_path: Path) -> None:
    data = write_features(tmp_path / "data", 13, FeatureOptions("mfcc", "--sample-frequency=8000\n"))
    (tmp_path / "model").mkdir()
    assert run(["record", "--cmvn-opts=--norm-vars=true", str(data), str(tmp_path / "model")]) == 0
    made = json.loads((tmp_path / "model/input.json").read_text())
    assert (made["features"], made["dim"], made["cmvn_opts"]) == ("mfcc", 13, "--norm-vars=true")
    assert made["options"]["sample-frequency"] == 8000 and made["options"]["num-ceps"] == 13
    (tmp_path / "model/cmvn_opts").write_text("--norm-vars=true\n")
    assert run(["check", str(tmp_path / "model"), str(data)]) == 0


def test_online_options(model: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mfcc.conf").write_text(HIRES)
    (tmp_path / "online.conf").write_text(f"--mfcc-config={tmp_path}/mfcc.conf\n")
    arguments = ["check", f"--online-config={tmp_path}/online.conf", str(model), "data"]
    assert run(arguments) == 0
    (tmp_path / "online.conf").write_text(f"--feature-type=fbank\n--fbank-config={tmp_path}/mfcc.conf\n")
    assert run(arguments) != 0
    assert "mfcc and fbank. (Where that is meant, remove" in capfd.readouterr().err


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"features": 1, "options": {}, "dim": 2}', '{"dim": "x"}'])
def test_malformed(model: Path, text: str) -> None:
    (model / "input.json").write_text(text)
    with pytest.raises(KaldiError, match="input.json does not describe the input of a model"):
        ModelInput.read(model)
